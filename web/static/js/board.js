// The bar under the board says how many days are ticked. Without scripts it says "the days ticked".

const form = document.getElementById("several");
const said = form?.querySelector("[data-count]");
const plain = said?.textContent;

function words(count) {
  if (!count) return plain;
  return count === 1 ? said.dataset.one : said.dataset.many.replace("{n}", String(count));
}

function tell() {
  said.textContent = words(document.querySelectorAll("[data-tick]:checked").length);
}

if (said) {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick]")) tell();
  });
  // What the browser ticked again on coming back counts too.
  addEventListener("pageshow", tell);
}
