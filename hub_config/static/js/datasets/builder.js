// Put a dataset together: what is found on one side, an area for each type on the other.
// Everything that dragging does, a button does too.
import { call } from "../api.js";
import { fill, number } from "../figures.js";
import { complain } from "../messages.js";
import { api, page, words } from "../data/words.js";
import { Choices, pagesOf } from "./choices.js";
import { Entries, FLAT } from "./entries.js";
import { Found } from "./found.js";

const form = document.getElementById("set-form");
const search = document.getElementById("set-search");
const place = document.getElementById("set-areas");
const state = document.getElementById("set-state");
const types = JSON.parse(form.dataset.types);
const isKnown = Boolean(form.dataset.id);
const ITEMS_AT_ONCE = 1000;
const TYPED_MS = 350;

const found = new Found(search, form.dataset.tenant);
const all = new Choices(document.getElementById("set-all"), aboutFound);
const areas = new Map();
const entries = new Entries(isFlat() ? [FLAT] : types);
let isChanged = false;

function isFlat() {
  const box = form.elements.is_flat;
  return box?.type === "checkbox" ? box.checked : form.dataset.flat === "yes";
}

function named(type) {
  return type || words.flat;
}

function aboutFound(one) {
  const where = entries.typesOf(one.id).map(named);
  const about = [`#${one.id}`, fill(words.files, { count: number(one.files) })];
  return where.length ? [...about, fill(words.inType, { types: where.join(", ") })].join(" · ") : about.join(" · ");
}

function aboutPlaced(one) {
  return [`#${one.id}`, one.files === undefined ? "" : fill(words.files, { count: number(one.files) })]
    .filter(Boolean)
    .join(" · ");
}

function tell(text) {
  state.textContent = text;
}

// --- Areas ---

function build() {
  place.replaceChildren();
  areas.clear();
  entries.types.forEach((type, at) => place.append(area(type, at)));
  buttons();
  draw();
}

function area(type, at) {
  const box = document.getElementById("set-area").content.firstElementChild.cloneNode(true);
  const list = box.querySelector("[role=listbox]");
  const title = box.querySelector("h3");
  title.id = `set-title-${at}`;
  title.querySelector("span").textContent = named(type);
  list.id = `set-list-${at}`;
  list.setAttribute("aria-labelledby", title.id);
  const choices = new Choices(list, aboutPlaced);
  areas.set(type, { box, choices });
  choices.addEventListener("chosen", () => offer(type));
  choices.addEventListener("key", (event) => {
    if (event.detail !== "Enter") takeOut(type);
  });
  box.addEventListener("click", (event) => act(type, event.target.closest("[data-does]")));
  receive(box, (from) => drop(from, type));
  return box;
}

function act(type, button) {
  const { choices } = areas.get(type);
  const does = button?.dataset.does;
  if (does === "take") takeOut(type);
  if (does === "all") choices.all();
  if (does === "previous") choices.turn(choices.page - 1);
  if (does === "next") choices.turn(choices.page + 1);
  if (does === "move") {
    const ids = choices.ids;
    entries.move(ids, type, button.dataset.type);
    told(words.moved, ids.length, button.dataset.type);
  }
  if (["previous", "next"].includes(does)) offer(type);
}

function takeOut(type) {
  const ids = areas.get(type).choices.ids;
  if (!ids.length) return;
  entries.take(ids, type);
  told(words.taken, ids.length, type);
}

function put(items, type) {
  const count = entries.put(items, type);
  told(words.put, count, type);
  all.clear();
}

function told(sentence, count, type) {
  tell(fill(sentence, { count: number(count), type: named(type) }));
}

function drop(from, type) {
  if (from === all.list.id) return put(all.chosenItems, type);
  for (const [other, { choices }] of areas) {
    if (choices.list.id !== from || other === type) continue;
    const ids = choices.ids;
    entries.move(ids, other, type);
    told(words.moved, ids.length, type);
  }
}

// Something of ours is dragged over a place.
function receive(box, take) {
  const isOurs = (event) => [...event.dataTransfer.types].includes("application/x-kqi-items");
  box.addEventListener("dragover", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    box.classList.add("is-over");
  });
  box.addEventListener("dragleave", (event) => {
    if (!box.contains(event.relatedTarget)) box.classList.remove("is-over");
  });
  box.addEventListener("drop", (event) => {
    box.classList.remove("is-over");
    if (!isOurs(event)) return;
    event.preventDefault();
    take(event.dataTransfer.getData("application/x-kqi-items"));
  });
}

// --- What is shown ---

function draw() {
  for (const [type, { box, choices }] of areas) {
    const items = [...entries.of(type).values()];
    choices.set(items);
    box.querySelector("[data-slot=count]").textContent = number(items.length);
    box.querySelector("[data-slot=empty]").hidden = items.length > 0;
    choices.list.hidden = !items.length;
    box.querySelector("[data-does=all]").hidden = !items.length;
    offer(type);
  }
  for (const option of all.list.children) {
    const one = all.items.find((item) => item.id === Number(option.dataset.id));
    option.querySelector("[data-slot=about]").textContent = aboutFound(one);
  }
  document.getElementById("set-count").textContent = fill(words.items, { count: number(entries.count) });
  const twice = document.getElementById("set-twice");
  twice.hidden = !entries.repeated;
  twice.querySelector("p").textContent = fill(words.twice, { count: number(entries.repeated) });
}

function offer(type) {
  const { box, choices } = areas.get(type);
  box.querySelector("[data-slot=pages]").textContent = pagesOf(choices);
  const has = choices.ids.length > 0;
  box.querySelector("[data-slot=chosen]").textContent = has ? fill(words.picked, { count: number(choices.ids.length) }) : "";
  box.querySelector("[data-does=take]").disabled = !has;
  for (const button of box.querySelectorAll("[data-does=move]")) button.disabled = !has;
  box.querySelector("[data-does=previous]").hidden = choices.page === 0;
  box.querySelector("[data-does=next]").hidden = choices.page >= choices.pages - 1;
}

// Buttons that put what is chosen into an area, and from an area into another.
function buttons() {
  const into = document.getElementById("set-into");
  into.replaceChildren(...entries.types.map((type) => button("put", type, fill(words.into, { type: named(type) }))));
  for (const [type, { box }] of areas) {
    const others = entries.types.filter((other) => other !== type);
    const moves = others.map((other) => button("move", other, fill(words.moveTo, { type: named(other) }), named(type)));
    box.querySelector("[data-slot=moves]").replaceChildren(...moves);
  }
  offerAll();
}

function button(does, type, label, of = "") {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "btn btn-secondary btn-sm", textContent: label });
  Object.assign(made.dataset, { does, type });
  if (of) {
    const hidden = Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: ` (${of})` });
    made.append(hidden);
  }
  return made;
}

function offerAll() {
  const has = all.ids.length > 0;
  for (const one of document.querySelectorAll("#set-into button")) one.disabled = !has;
  document.getElementById("set-chosen").textContent = has ? fill(words.picked, { count: number(all.ids.length) }) : "";
}

// --- The list of all data ---

async function look(number_of_page = 1) {
  all.list.setAttribute("aria-busy", "true");
  try {
    const items = await found.fetch(number_of_page);
    if (items) drawFound(items);
  } catch (error) {
    complain(error.message);
  } finally {
    all.list.removeAttribute("aria-busy");
  }
}

function drawFound(items) {
  all.set(items);
  all.clear();
  const from = (found.page - 1) * 100 + 1;
  document.getElementById("set-found").textContent = items.length
    ? fill(words.shown, { from: number(from), to: number(from + items.length - 1), all: number(found.total) })
    : words.nothingFound;
  document.getElementById("set-previous").hidden = found.page === 1;
  document.getElementById("set-next").hidden = found.page >= found.pages;
  document.getElementById("set-everything").hidden = found.total <= items.length;
}

async function everything(button) {
  button.setAttribute("aria-busy", "true");
  try {
    const type = document.getElementById("set-everything-type").value;
    put(await found.all(), type);
  } catch (error) {
    complain(error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// --- From the portal, and back to it ---

async function load() {
  const query = new URLSearchParams({ limit: ITEMS_AT_ONCE });
  for (;;) {
    const answer = await call("GET", api(`datasets/${form.dataset.id}/items?${query}`));
    for (const one of answer.items) {
      entries.of(one.type).set(one.id, one);
    }
    if (!answer.next) return;
    query.set("after", answer.next);
  }
}

async function save() {
  const { name, memo } = form.elements;
  const sent = { name: name.value.trim(), memo: memo.value };
  const asked = entries.asked(isFlat());
  if (!isKnown) {
    const made = await call("POST", form.dataset.makes, { ...sent, tenant: form.dataset.tenant, is_flat: isFlat(), entries: asked });
    return made.id;
  }
  const { id } = form.dataset;
  if (isChanged) {
    const changed_at = Number(form.dataset.changedAt);
    await call("PUT", api(`datasets/${id}`), { entries: asked, changed_at });
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
    removeEventListener("beforeunload", keep);
    location.assign(page(`datasets/${id}`, form.dataset.tenant));
  } catch (error) {
    complain(error.message);
    button.removeAttribute("aria-busy");
  }
});

function keep(event) {
  if (isChanged) event.preventDefault();
}

let timer = 0;
search.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => look(), TYPED_MS);
});
search.addEventListener("submit", (event) => {
  event.preventDefault();
  look();
});
all.addEventListener("chosen", offerAll);
// Enter puts what is chosen where the first button would.
all.addEventListener("key", (event) => {
  if (event.detail === "Enter" && all.ids.length) document.querySelector("#set-into button").focus();
});
document.getElementById("set-into").addEventListener("click", (event) => {
  const button = event.target.closest("[data-does=put]");
  if (button) put(all.chosenItems, button.dataset.type);
});
document.getElementById("set-all-shown").addEventListener("click", () => all.all());
document.getElementById("set-previous").addEventListener("click", () => look(found.page - 1));
document.getElementById("set-next").addEventListener("click", () => look(found.page + 1));
document.getElementById("set-everything").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) everything(button);
});
receive(document.getElementById("set-found-box"), (from) => {
  for (const [type, { choices }] of areas) if (choices.list.id === from) takeOut(type);
});
form.elements.is_flat?.addEventListener?.("change", () => {
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
addEventListener("beforeunload", keep);
await look();
tell("");
