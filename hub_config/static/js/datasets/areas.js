// The areas of a dataset, one for each type: what is in them, chosen, moved, taken out.
import { fill, number } from "../figures.js";
import { words } from "../data/words.js";
import { Choices, pagesOf } from "./choices.js";

const DRAGGED = "application/x-kqi-items";

export function named(type) {
  return type || words.flat;
}

// Something of ours is dragged over a place; `take` is told from which list.
export function receive(box, take) {
  const isOurs = (event) => [...event.dataTransfer.types].includes(DRAGGED);
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
    take(event.dataTransfer.getData(DRAGGED));
  });
}

export function button(does, type, label, of = "") {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "btn btn-secondary btn-sm", textContent: label });
  Object.assign(made.dataset, { does, type });
  if (of) {
    const hidden = { className: "visually-hidden", textContent: ` (${of})` };
    made.append(Object.assign(document.createElement("span"), hidden));
  }
  return made;
}

function about(one) {
  return `#${one.id} · ${fill(words.files, { count: number(one.files) })}`;
}

export class Areas {
  // `dropped` is told of what comes from another list; `tell` says what happened.
  constructor(place, entries, { dropped, tell }) {
    Object.assign(this, { place, entries, dropped, tell });
    this.all = new Map();
  }

  build() {
    this.all.clear();
    this.place.replaceChildren(...this.entries.types.map((type, at) => this.area(type, at)));
    this.draw();
  }

  area(type, at) {
    const box = document.getElementById("set-area").content.firstElementChild.cloneNode(true);
    const list = box.querySelector("[role=listbox]");
    const title = box.querySelector("h3");
    title.id = `set-title-${at}`;
    title.querySelector("span").textContent = named(type);
    list.id = `set-list-${at}`;
    list.setAttribute("aria-labelledby", title.id);
    const choices = new Choices(list, about);
    this.all.set(type, { box, choices });
    box.querySelector("[data-slot=moves]").replaceChildren(...this.moves(type));
    choices.addEventListener("chosen", () => this.offer(type));
    choices.addEventListener("key", (event) => {
      if (event.detail !== "Enter") this.takeOut(type);
    });
    box.addEventListener("click", (event) => this.act(type, event.target.closest("[data-does]")));
    receive(box, (from) => this.drop(from, type));
    return box;
  }

  moves(type) {
    const others = this.entries.types.filter((other) => other !== type);
    return others.map((other) =>
      button("move", other, fill(words.moveTo, { type: named(other) }), named(type)),
    );
  }

  act(type, pressed) {
    const { choices } = this.all.get(type);
    const does = pressed?.dataset.does;
    if (does === "take") this.takeOut(type);
    if (does === "all") choices.all();
    if (does === "move") this.move(type, pressed.dataset.type);
    if (does === "previous") choices.turn(choices.page - 1);
    if (does === "next") choices.turn(choices.page + 1);
    this.offer(type);
  }

  move(from, to) {
    const ids = this.all.get(from).choices.ids;
    this.entries.move(ids, from, to);
    this.tell(words.moved, ids.length, to);
  }

  takeOut(type) {
    const ids = this.all.get(type).choices.ids;
    if (!ids.length) return;
    this.entries.take(ids, type);
    this.tell(words.taken, ids.length, type);
  }

  drop(from, type) {
    const other = this.typeOf(from);
    if (other === undefined) this.dropped(from, type);
    else if (other !== type) this.move(other, type);
  }

  // The type whose list this is.
  typeOf(list) {
    return this.entries.types.find((type) => this.all.get(type).choices.list.id === list);
  }

  draw() {
    for (const [type, { box, choices }] of this.all) {
      const items = [...this.entries.of(type).values()];
      choices.set(items);
      box.querySelector("[data-slot=count]").textContent = number(items.length);
      box.querySelector("[data-slot=empty]").hidden = items.length > 0;
      box.querySelector("[data-does=all]").hidden = !items.length;
      choices.list.hidden = !items.length;
      this.offer(type);
    }
  }

  offer(type) {
    const { box, choices } = this.all.get(type);
    const count = choices.ids.length;
    box.querySelector("[data-slot=pages]").textContent = pagesOf(choices);
    box.querySelector("[data-slot=chosen]").textContent = count
      ? fill(words.picked, { count: number(count) })
      : "";
    for (const one of box.querySelectorAll("[data-does=take], [data-does=move]")) {
      one.disabled = !count;
    }
    box.querySelector("[data-does=previous]").hidden = choices.page === 0;
    box.querySelector("[data-does=next]").hidden = choices.page >= choices.pages - 1;
  }
}
