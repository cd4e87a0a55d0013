// The bar under the board says how many days are ticked. Without scripts it says "the days ticked".

const form = document.getElementById("several");
const said = form?.querySelector("[data-count]");

function tell() {
  const count = document.querySelectorAll("[data-tick]:checked").length;
  said.textContent = count === 1 ? said.dataset.one : said.dataset.many.replace("{n}", String(count));
}

if (said) {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick]")) tell();
  });
  // What the browser ticked again on coming back counts too.
  addEventListener("pageshow", tell);
}
