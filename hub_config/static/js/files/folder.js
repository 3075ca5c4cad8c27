// A folder: its pages as the agent sorts and filters them, and its four other faces.
import { draw, lines, selectNothing } from "./list.js";
import { nameOf } from "./place.js";
import { ask } from "./source.js";
import { fill, number, words } from "./words.js";

const LIMIT = 200;
const section = document.getElementById("files-folder");
const pages = document.getElementById("files-pages");
const byId = (id) => document.getElementById(id);
// Where each page begins that we have come through.
let cursors = [undefined];
let shown = null;

export function current() {
  return shown;
}

export function fromBeginning() {
  cursors = [undefined];
}

export function hasTurned(by) {
  if (by < 0 && cursors.length > 1) cursors.pop();
  else if (by > 0 && shown?.next) cursors.push(shown.next);
  else return false;
  selectNothing();
  return true;
}

export function look(place, signal) {
  const more = {
    sort: place.sort,
    order: place.isDown ? "down" : "up",
    filter: place.match || undefined,
    hidden: place.hidden ? 1 : 0,
    limit: LIMIT,
    after: cursors.at(-1),
  };
  return ask("list", place, more, { signal });
}

export function hide() {
  section.hidden = true;
  shown = null;
}

export function show(place, page) {
  shown = page;
  section.hidden = false;
  draw(place, page);
  showFaces(place, page);
  showPages(page);
  showHints(place, page);
  for (const part of document.querySelectorAll("[data-only=writable]")) {
    part.hidden = !page.may_change;
  }
  showItem(place);
  const filter = byId("files-filter");
  if (document.activeElement !== filter) filter.value = place.match;
  byId("files-hidden").checked = place.hidden;
}

// A tenant's data lie by the number of their item; that has a page of its own.
function showItem(place) {
  const [kind, tenant] = place.root.split(":");
  const part = byId("files-read-only");
  part.hidden = kind !== "data";
  if (part.hidden) return;
  const item = /^\d+(?=\/|$)/.exec(place.path)?.[0];
  const link = part.querySelector("a");
  link.textContent = item ? fill(words.toItem, { item }) : words.toData;
  const query = new URLSearchParams({ tenant });
  link.href = `${words.data}${item ? `/${item}` : ""}?${query}`;
}

function showFaces(place, page) {
  const isEmpty = page.entries.length === 0 && cursors.length === 1;
  const isFiltered = Boolean(place.match) || page.total > page.matched;
  byId("files-empty").hidden = !isEmpty || isFiltered || !page.may_change;
  byId("files-empty-read-only").hidden = !isEmpty || isFiltered || page.may_change;
  byId("files-no-match").hidden = !isEmpty || !isFiltered;
}

function showPages(page) {
  const from = (cursors.length - 1) * LIMIT;
  const isWhole = !page.next && cursors.length === 1;
  pages.hidden = page.entries.length === 0;
  const range = fill(words.shown, {
    from: number(from + 1),
    to: number(from + page.entries.length),
    total: number(page.matched),
  });
  const hidden = page.total > page.matched
    ? fill(words.of, { count: number(page.matched), total: number(page.total) })
    : "";
  pages.querySelector("[data-slot=shown]").textContent = [range, hidden].filter(Boolean).join(" · ");
  for (const [name, isThere] of [["previous", cursors.length > 1], ["next", page.next]]) {
    const button = pages.querySelector(`[data-does=${name}]`);
    button.disabled = !isThere;
    button.hidden = isWhole;
  }
}

function showHints(place, page) {
  const hint = byId("files-events");
  hint.hidden = !page.hints?.includes("tensorboard");
  const folder = place.path.replace(/^workspace\/?/, "") || ".";
  hint.querySelector("[data-slot=command]").textContent = `kqi tensorboard ${quoted(folder)}`;
}

// As a shell takes it for one word.
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function tell(place, page, label) {
  byId("files-heard").textContent = fill(words.heard, {
    folder: nameOf(place.path) || label,
    count: number(page.matched),
  });
}

export function focusOn(name) {
  const all = lines();
  const line = all.find((one) => one.closest("tr").dataset.name === name) ?? all[0];
  line?.focus({ preventScroll: false });
}
