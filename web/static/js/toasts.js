// Short messages in the corner. The two live regions are in the page from the start
// (components/toast.html), so that what is put into them is announced.

const corner = document.getElementById("toasts");

// Good news leaves by itself, since it may lie over a button; a refusal waits to be closed.
const READING_MILLISECONDS = 8000;

function leaveInTime(toast) {
  let timer;
  const start = () => {
    timer = setTimeout(() => toast.remove(), READING_MILLISECONDS);
  };
  const wait = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", wait);
  toast.addEventListener("focusin", wait);
  toast.addEventListener("pointerleave", start);
  toast.addEventListener("focusout", start);
  start();
}

function show(templateName, regionRole, text) {
  const toast = corner.querySelector(templateName).content.cloneNode(true);
  toast.querySelector(".toast-text > span").textContent = text;
  const region = corner.querySelector(`[role=${regionRole}]`);
  region.append(toast);
  if (regionRole === "status") leaveInTime(region.lastElementChild);
}

export function tell(text) {
  show("[data-toast]", "status", text);
}

export function warn(text = corner.dataset.failed) {
  show("[data-toast-error]", "alert", text);
}

export function tellCopied() {
  tell(corner.dataset.copied);
}

// A live region is silent about what it held when the page came: put it in again.
export function announceFlashed() {
  for (const toast of corner.querySelectorAll("[role] > .toast")) {
    toast.parentElement.append(toast);
    if (toast.matches("[role=status] > *")) leaveInTime(toast);
  }
}

export function closeLastToast() {
  const open = corner.querySelectorAll(".toast[open]");
  open[open.length - 1]?.remove();
  return open.length > 0;
}
