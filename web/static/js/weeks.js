// The weeks before and after this one, fetched ahead of any click, so that turning to them takes
// no time. Pages are never kept by the browser itself (no-store): they live in this page's memory
// for a minute, and go with it. Without scripts the same links lead to the same pages.

const FRESH_MILLISECONDS = 60_000;
const ahead = new Map();
const coming = new Map();
let shown = location.pathname;
let turning = null;

const spoken = document.createElement("div");
spoken.className = "visually-hidden";
spoken.setAttribute("role", "status");
document.body.append(spoken);

// Whoever pays by the byte fetches what they ask for.
function mayFetchAhead() {
  const connection = navigator.connection;
  return !(connection?.saveData || /2g/.test(connection?.effectiveType ?? ""));
}

function pathOf(address) {
  const url = new URL(address, location.href);
  return url.origin === location.origin ? url.pathname : null;
}

function fresh(path) {
  const page = ahead.get(path);
  return page && performance.now() - page.at < FRESH_MILLISECONDS ? page : null;
}

// One request at a time for a page: a click that comes before its answer waits for that answer.
function fetchAhead(path) {
  if (!fresh(path) && !coming.has(path)) {
    const answer = fetchPage(path)
      .catch(() => ahead.delete(path))
      .finally(() => coming.delete(path));
    coming.set(path, answer);
  }
}

async function fetchPage(path) {
  const answer = await fetch(path, { headers: { Accept: "text/html" }, priority: "low" });
  // A redirect is another page (the session ended, say): only the click itself may follow it.
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.querySelector("main .pager")) ahead.set(path, { page, at: performance.now() });
}

function fetchNeighbours() {
  if (!mayFetchAhead()) return;
  for (const link of document.querySelectorAll("main a[rel=prev], main a[rel=next]")) {
    const path = pathOf(link.href);
    if (path) fetchAhead(path);
  }
}

function show(path, { page }) {
  const rel = document.activeElement?.closest("main a[rel]")?.rel;
  // What a page says once (“it is noted”) is said, whichever way the page came.
  for (const toast of page.querySelectorAll("#toasts [role] > .toast")) {
    document.querySelector(`#toasts [role=${toast.parentElement.getAttribute("role")}]`).append(toast);
  }
  ahead.delete(path);
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  document.title = page.title;
  shown = path;
  const main = document.querySelector("main");
  window.htmx?.process(main);
  for (const next of document.querySelectorAll("body > header input[name=next]")) next.value = path;
  scrollTo(0, 0);
  // Whoever turns pages by the keyboard stays on the link that turns them, and hears where.
  (rel ? main.querySelector(`a[rel=${rel}]`) : main).focus({ preventScroll: true });
  spoken.textContent = main.querySelector("h1").textContent;
  fetchNeighbours();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("main a[rel=prev], main a[rel=next], main a[data-week]");
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !plain || event.defaultPrevented || document.getElementById("panel").open) return;
  const path = pathOf(link.href);
  if (!path || !(fresh(path) || coming.has(path))) return;
  event.preventDefault();
  turn(path);
});

async function turn(path) {
  turning = path;
  await coming.get(path);
  // Another week was asked for meanwhile: the last word holds.
  if (turning !== path) return;
  turning = null;
  const page = fresh(path);
  if (!page) {
    location.assign(path);
    return;
  }
  history.pushState({ week: path }, "", path);
  show(path, page);
}

addEventListener("popstate", (event) => {
  turning = null;
  if (event.state?.panel || location.pathname === shown) return;
  const page = fresh(location.pathname);
  if (page) show(location.pathname, page);
  else location.reload();
});

fetchNeighbours();
