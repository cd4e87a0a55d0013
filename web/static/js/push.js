// The button that lets this browser show messages while Relais is closed.

const form = document.querySelector("[data-push-key]");

if (form && "serviceWorker" in navigator && "PushManager" in window) {
  document.querySelector("[data-push-missing]").hidden = true;
  form.hidden = false;
  form.querySelector("[data-push-allow]").addEventListener("click", () => {
    allow(form).catch(() => {
      document.querySelector("[data-push-denied]").hidden = false;
    });
  });
}

async function allow(form) {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("not allowed");
  await navigator.serviceWorker.register(form.dataset.pushWorker);
  const worker = await navigator.serviceWorker.ready;
  const { endpoint, keys } = (await subscribe(worker.pushManager, form.dataset.pushKey)).toJSON();
  form.elements.endpoint.value = endpoint;
  form.elements.p256dh.value = keys.p256dh;
  form.elements.auth.value = keys.auth;
  form.requestSubmit();
}

async function subscribe(manager, key) {
  const wanted = { userVisibleOnly: true, applicationServerKey: bytes(key) };
  try {
    return await manager.subscribe(wanted);
  } catch {
    // Allowed before with another key of this installation: begin anew.
    await (await manager.getSubscription())?.unsubscribe();
    return manager.subscribe(wanted);
  }
}

function bytes(key) {
  const base64 = key.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
