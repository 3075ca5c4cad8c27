// A list of runs: several are chosen, and stay so while the list renews itself.
import "../live.js";
import "../parts.js";
import "../notebooks/filter.js";
import { fill, number } from "../figures.js";

const bar = document.getElementById("runs-bulk");
const chosen = new Set();

function boxes() {
  return [...document.querySelectorAll("input[data-pick]")];
}

// What is no longer on the page is no longer chosen: nobody could see it.
function restore() {
  const shown = new Set(boxes().map((one) => one.value));
  for (const id of [...chosen]) if (!shown.has(id)) chosen.delete(id);
  for (const one of boxes()) one.checked = chosen.has(one.value);
  count();
}

function count() {
  bar.hidden = !chosen.size;
  bar.elements.ids.value = [...chosen].join(",");
  bar.querySelector("[data-slot=count]").textContent = fill(bar.getAttribute("data-picked"), {
    count: number(chosen.size),
  });
  const all = document.querySelector("input[data-pick-all]");
  if (!all) return;
  all.checked = chosen.size > 0 && chosen.size === boxes().length;
  all.indeterminate = chosen.size > 0 && !all.checked;
}

function pick(event) {
  const { target } = event;
  if (target.matches("input[data-pick-all]")) {
    for (const one of boxes()) one.checked = target.checked;
  }
  if (!target.matches("input[data-pick], input[data-pick-all]")) return;
  for (const one of boxes()) {
    if (one.checked) chosen.add(one.value);
    else chosen.delete(one.value);
  }
  count();
}

// A tag that is given or taken must be named.
function check(event) {
  if (!["tag", "untag"].includes(event.submitter?.value)) return;
  const field = bar.elements.tag;
  if (field.value.trim()) return;
  event.preventDefault();
  event.stopPropagation();
  field.focus();
}

if (bar) {
  document.addEventListener("change", pick);
  document.addEventListener("kqi:renewed", restore);
  bar.addEventListener("submit", check);
  // Back from another page the browser may have kept what was ticked.
  for (const one of boxes()) if (one.checked) chosen.add(one.value);
  restore();
}
