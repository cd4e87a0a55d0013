// The side panel: a link marked data-panel opens in it instead of leaving the page.
// Its address goes to the history, so Back closes it and a reload shows the same thing as a page.

import { warn } from "./toasts.js";

const panel = document.getElementById("panel");
const content = document.getElementById("panel-content");
const phone = matchMedia("(max-width: 44.99em)");
let opener = null;

// On a phone the panel covers everything: what lies under it must not be reached.
function shieldPage() {
  for (const part of document.querySelectorAll("body > header, body > main")) {
    part.inert = panel.open && phone.matches;
  }
}

function show() {
  if (!panel.open) panel.show();
  shieldPage();
  const heading = content.querySelector("h1, h2");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
}

function hide() {
  if (panel.open) panel.close();
}

async function load(href) {
  await window.htmx.ajax("GET", href, { target: content, swap: "innerHTML" });
}

async function openLink(link) {
  opener = link;
  document.querySelectorAll("[data-panel][aria-expanded]").forEach((a) => a.removeAttribute("aria-expanded"));
  await load(link.href);
  if (!content.childElementCount) return;
  const state = { panel: link.href };
  if (history.state?.panel) history.replaceState(state, "", link.href);
  else history.pushState(state, "", link.href);
  link.setAttribute("aria-expanded", "true");
  show();
}

function closed() {
  content.replaceChildren();
  shieldPage();
  if (opener?.isConnected) {
    opener.removeAttribute("aria-expanded");
    opener.focus();
  }
  opener = null;
  if (history.state?.panel) history.back();
}

export function bootPanel() {
  if (!panel || !window.htmx) return;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-panel]");
    const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !plain || event.defaultPrevented) return;
    event.preventDefault();
    openLink(link).catch(() => warn());
  });

  // A whole page in answer (the session ended, say) belongs in the window, not in the panel.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr } = event.detail;
    if (target === content && /<html/i.test(xhr.responseText)) {
      event.detail.shouldSwap = false;
      location.assign(xhr.responseURL);
    }
  });

  panel.addEventListener("close", closed);
  phone.addEventListener("change", shieldPage);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.open && !document.querySelector("dialog:modal")) hide();
  });
  addEventListener("popstate", async (event) => {
    if (!event.state?.panel) return hide();
    await load(event.state.panel);
    show();
  });
}
