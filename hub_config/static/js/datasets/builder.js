// Put a dataset together: what is found on one side, an area for each type on the other.
// Everything that dragging does, a button does too.
import { call } from "../api.js";
import { fill, number } from "../figures.js";
import { complain } from "../messages.js";
import { api, page, words } from "../data/words.js";
import { AllData } from "./all_data.js";
import { Areas, named, receive } from "./areas.js";
import { Entries, FLAT } from "./entries.js";

const form = document.getElementById("set-form");
const state = document.getElementById("set-state");
const types = JSON.parse(form.dataset.types);
const isKnown = Boolean(form.dataset.id);
const ITEMS_AT_ONCE = 1000;

const entries = new Entries(isFlat() ? [FLAT] : types);
const all = new AllData(entries, form.dataset.tenant, put);
const areas = new Areas(document.getElementById("set-areas"), entries, {
  dropped: (from, type) => all.take(type),
  tell,
});
let isChanged = false;

function isFlat() {
  const box = form.elements.is_flat;
  return box ? box.checked : form.dataset.flat === "yes";
}

function tell(sentence, count, type) {
  state.textContent = fill(sentence, { count: number(count), type: named(type) });
}

function put(items, type) {
  tell(words.put, entries.put(items, type), type);
}

function build() {
  areas.build();
  all.build();
  draw();
}

function draw() {
  areas.draw();
  all.draw();
  const count = document.getElementById("set-count");
  count.textContent = fill(words.items, { count: number(entries.count) });
  const twice = document.getElementById("set-twice");
  twice.hidden = !entries.repeated;
  twice.querySelector("p").textContent = fill(words.twice, { count: number(entries.repeated) });
}

async function load() {
  const query = new URLSearchParams({ limit: ITEMS_AT_ONCE });
  for (;;) {
    const answer = await call("GET", api(`datasets/${form.dataset.id}/items?${query}`));
    for (const one of answer.items) entries.of(one.type).set(one.id, one);
    if (!answer.next) return;
    query.set("after", answer.next);
  }
}

// The items first: if they cannot be kept, the name is not changed either.
async function save() {
  const { id, tenant, changedAt } = form.dataset;
  const sent = { name: form.elements.name.value.trim(), memo: form.elements.memo.value };
  const asked = entries.asked(isFlat());
  if (!isKnown) {
    const whole = { ...sent, tenant, is_flat: isFlat(), entries: asked };
    return (await call("POST", form.dataset.makes, whole)).id;
  }
  if (isChanged) {
    const about = { entries: asked, changed_at: Number(changedAt) };
    const found = await call("PUT", api(`datasets/${id}`), about);
    // Saving once more after a refused name changes what is there now.
    form.dataset.changedAt = found.changed_at;
    isChanged = false;
  }
  await call("PATCH", api(`datasets/${id}`), sent);
  return id;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  try {
    const id = await save();
    isChanged = false;
    location.assign(page(`datasets/${id}`, form.dataset.tenant));
  } catch (error) {
    complain(error.message);
    button.removeAttribute("aria-busy");
  }
});

addEventListener("beforeunload", (event) => {
  if (isChanged) event.preventDefault();
});

// What is dragged back to the list of all data is taken out.
receive(document.getElementById("set-found-box"), (from) => {
  const type = areas.typeOf(from);
  if (type !== undefined) areas.takeOut(type);
});

form.elements.is_flat?.addEventListener("change", () => {
  entries.reshape(isFlat() ? [FLAT] : types);
  build();
});

if (isKnown) {
  form.setAttribute("aria-busy", "true");
  await load().catch((error) => complain(error.message));
  form.removeAttribute("aria-busy");
}
build();
entries.addEventListener("change", () => {
  isChanged = true;
  draw();
});
await all.look();
