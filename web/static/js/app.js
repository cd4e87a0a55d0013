// What every page gets on top of plain HTML. Each page works without any of it.

import { bootPanel } from "./panel.js";
import { announceFlashed, closeLastToast, tellCopied, warn } from "./toasts.js";

const csrfToken = document.querySelector("meta[name=csrf-token]").content;

function bootHtmx() {
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrfToken;
  });
  document.addEventListener("htmx:responseError", () => warn());
  document.addEventListener("htmx:sendError", () => warn());
}

// A form sent twice by an impatient finger is sent once.
function bootForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
    // An answer that is a file leaves this page where it is: give the form back.
    setTimeout(() => giveBack(form), 8000);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    if (form) giveBack(form);
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(giveBack));

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-autosubmit]")?.form;
    form?.requestSubmit();
  });
}

function giveBack(form) {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
}

function bootDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      event.preventDefault();
      document.getElementById(opener.dataset.dialog).showModal();
      return;
    }
    const closer = event.target.closest("[data-dialog-close]");
    const dialog = closer?.closest("dialog:modal");
    if (dialog) {
      event.preventDefault();
      dialog.close();
    }
  });
}

// Menus are <details>: close the others, close on a click outside, close on Escape.
function bootMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("[data-menu][open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (!document.querySelector("dialog[open]")) {
      closeLastToast();
    }
  });
}

// data-shortcut="Shift+ArrowLeft" on a link or a button. Never where something is being written,
// nor in a grid that has its own use of the arrows.
function bootShortcuts() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.target.closest("input, select, textarea, [role=grid], dialog:modal")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = (event.shiftKey ? "Shift+" : "") + event.key;
    const target = document.querySelector(`[data-shortcut="${CSS.escape(keys)}"]`);
    if (target) {
      event.preventDefault();
      target.click();
    }
  });
}

function bootCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
      tellCopied();
    } catch {
      warn();
    }
  });
}

bootHtmx();
bootForms();
bootDialogs();
bootMenus();
bootShortcuts();
bootCopy();
bootPanel();
announceFlashed();
document.querySelector("[data-focus]")?.focus();
