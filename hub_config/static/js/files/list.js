// A folder's entries as the agent has sorted them, page by page; which are selected.
import { addressOf, join } from "./place.js";
import { behind, signOf } from "./kinds.js";
import { copyOf, fill, moment, number, sign, size, slots, words } from "./words.js";

const box = document.getElementById("files-table");
const body = box.querySelector("tbody");
const all = document.getElementById("files-all");
const bar = document.getElementById("files-selected");
const selected = new Map();
let shown = new Map();
let last = "";

export function entryOf(element) {
  return shown.get(element?.closest("tr")?.dataset.name);
}

export function entryNamed(name) {
  return shown.get(name);
}

export function chosen() {
  return [...selected.values()];
}

export function lines() {
  return [...body.querySelectorAll("a[data-slot=name]")];
}

// Draw a page. What was selected and is still there stays so; the focus too.
export function draw(place, page) {
  const focused = body.contains(document.activeElement)
    ? { name: document.activeElement.closest("tr").dataset.name, slot: document.activeElement.dataset.slot }
    : null;
  shown = new Map(page.entries.map((entry) => [entry.name, entry]));
  for (const [name] of selected) {
    if (shown.has(name)) selected.set(name, shown.get(name));
  }
  body.replaceChildren(...page.entries.map((entry) => rowOf(place, entry)));
  box.hidden = page.entries.length === 0;
  for (const head of box.querySelectorAll("[data-by]:is(th)")) {
    const isIt = head.dataset.by === place.sort;
    if (isIt) head.setAttribute("aria-sort", place.isDown ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  showSelected();
  if (focused) {
    const row = body.querySelector(`tr[data-name="${CSS.escape(focused.name)}"]`);
    (row?.querySelector(`[data-slot="${focused.slot}"]`) ?? lines()[0])?.focus({ preventScroll: true });
  }
}

function rowOf(place, entry) {
  const row = copyOf("files-row").querySelector("tr");
  const at = slots(row);
  row.dataset.name = entry.name;
  at.sign.replaceChildren(sign(signOf(entry)));
  at.name.textContent = entry.name;
  at.name.href = addressOf({ ...place, path: join(place.path, entry.name), match: "" });
  at.about.textContent = aboutOf(entry);
  at.size.textContent = behind(entry) === "file" && entry.kind === "file" ? size(entry.size) : "–";
  at.time.replaceChildren(moment(entry.changed_at));
  at.pick.setAttribute("aria-label", fill(words.select, { name: entry.name }));
  at.of.textContent = fill(words.more, { name: entry.name });
  return row;
}

function aboutOf(entry) {
  if (entry.kind === "other") return words.otherKind;
  if (entry.kind !== "link") return "";
  const to = behind(entry);
  if (to === "nothing") return fill(words.nowhere, { target: entry.link.text });
  if (to === "outside") return words.outside;
  return fill(words.to, { target: entry.link.text });
}

// --- Selection ---

export function select(name, isOn) {
  const entry = shown.get(name);
  if (isOn && entry) selected.set(name, entry);
  else selected.delete(name);
  showSelected();
}

export function selectNothing() {
  selected.clear();
  showSelected();
}

export function toggle(name) {
  select(name, !selected.has(name));
  last = name;
}

// Everything between the line that was last clicked and this one.
function selectTo(name, isOn) {
  const names = [...shown.keys()];
  const ends = [names.indexOf(last), names.indexOf(name)].sort((a, b) => a - b);
  const between = ends[0] < 0 ? [name] : names.slice(ends[0], ends[1] + 1);
  for (const one of between) {
    if (isOn) selected.set(one, shown.get(one));
    else selected.delete(one);
  }
  showSelected();
}

function showSelected() {
  for (const row of body.rows) {
    const isOn = selected.has(row.dataset.name);
    row.querySelector("[data-slot=pick]").checked = isOn;
    row.classList.toggle("is-selected", isOn);
  }
  const here = [...shown.keys()].filter((name) => selected.has(name)).length;
  all.checked = here > 0 && here === shown.size;
  all.indeterminate = here > 0 && here < shown.size;
  bar.hidden = selected.size === 0;
  const bytes = chosen().reduce((sum, one) => sum + (one.kind === "file" ? one.size : 0), 0);
  bar.querySelector("[data-slot=count]").textContent = fill(words.selected, {
    count: number(selected.size),
    bytes: size(bytes),
  });
}

body.addEventListener("click", (event) => {
  const pick = event.target.closest("[data-slot=pick]");
  if (!pick) return;
  const { name } = pick.closest("tr").dataset;
  if (event.shiftKey) selectTo(name, pick.checked);
  else select(name, pick.checked);
  last = name;
});

all.addEventListener("change", () => {
  for (const name of shown.keys()) {
    if (all.checked) selected.set(name, shown.get(name));
    else selected.delete(name);
  }
  showSelected();
});
