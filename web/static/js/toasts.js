// Short messages in the corner. The two live regions are in the page from the start
// (components/toast.html), so that what is put into them is announced.

const corner = document.getElementById("toasts");

function show(templateName, regionRole, text) {
  const toast = corner.querySelector(templateName).content.cloneNode(true);
  toast.querySelector(".toast-text > span").textContent = text;
  corner.querySelector(`[role=${regionRole}]`).append(toast);
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
  }
}

export function closeLastToast() {
  const open = corner.querySelectorAll(".toast[open]");
  open[open.length - 1]?.remove();
  return open.length > 0;
}
