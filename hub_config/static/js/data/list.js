// The list of data: several rows are tagged or deleted at once. The selection is about
// the page that is shown.
import "../live.js";
import "../parts.js";
import "../notebooks/filter.js";
import "./uploads.js";
import { call } from "../api.js";
import { fill, number } from "../figures.js";
import { complain, say } from "../messages.js";
import { api, words } from "./words.js";

// So many refusals are said in full.
const SAID = 3;
const DONE = { tag: words.bulkTag, untag: words.bulkUntag, delete: words.bulkDelete };
const bar = document.getElementById("data-bulk");
const sure = document.getElementById("data-sure");

function boxes() {
  return [...document.querySelectorAll("input[data-pick]")];
}

function picked() {
  return boxes().filter((one) => one.checked);
}

function count() {
  if (!bar) return;
  const found = picked();
  bar.hidden = !found.length;
  bar.querySelector("[data-slot=count]").textContent = fill(words.picked, {
    count: number(found.length),
  });
  const all = document.querySelector("input[data-pick-all]");
  if (!all) return;
  all.checked = found.length > 0 && found.length === boxes().length;
  all.indeterminate = found.length > 0 && !all.checked;
}

async function order(action, tag) {
  const ids = picked().map((one) => Number(one.value));
  const about = { ids, action, ...(tag === undefined ? {} : { tag }) };
  try {
    const { outcomes } = await call("POST", api("data/bulk"), about);
    tell(action, outcomes);
  } catch (error) {
    complain(error.message);
  }
  for (const one of boxes()) one.checked = false;
  count();
  document.dispatchEvent(new CustomEvent("kqi:changed"));
}

// What could not be done is said for each, with the reason that the portal gives.
function tell(action, outcomes) {
  const refused = outcomes.filter((one) => !one.done);
  const count = outcomes.length - refused.length;
  if (count) say(fill(DONE[action], { count: number(count) }));
  for (const one of refused.slice(0, SAID)) complain(`#${one.id}: ${one.detail}`);
  if (refused.length > SAID) complain(fill(words.more, { count: number(refused.length - SAID) }));
}

document.addEventListener("change", (event) => {
  if (event.target.matches("input[data-pick-all]")) {
    for (const one of boxes()) one.checked = event.target.checked;
  }
  if (event.target.matches("input[data-pick], input[data-pick-all]")) count();
});
document.addEventListener("kqi:renewed", count);

// The first data make a list where there was none.
document.addEventListener("kqi:changed", () => {
  const isSending = document.querySelector(".upload:not([data-state=done])");
  if (!document.querySelector("[data-part=list]") && !isSending) location.reload();
});

if (bar) {
  const field = bar.querySelector("[name=tag]");
  bar.addEventListener("click", (event) => {
    const does = event.target.closest("[data-does]")?.dataset.does;
    if (does === "tag" || does === "untag") {
      const tag = field.value.trim();
      if (tag) order(does, tag);
      else field.focus();
    }
    if (does === "preprocess") {
      // The address has the tenant in it already.
      const target = new URL(bar.dataset.preprocess, location.href);
      target.searchParams.set("of", picked().map((one) => one.value).join(","));
      location.assign(target);
    }
    if (does === "delete") {
      sure.querySelector("[data-slot=count]").textContent = fill(words.picked, {
        count: number(picked().length),
      });
      sure.showModal();
    }
  });
  sure.addEventListener("click", (event) => {
    const does = event.target.closest("[data-does]")?.dataset.does;
    if (does) sure.close();
    if (does === "sure") order("delete");
  });
  count();
}
