// A list of items of which several can be chosen, by mouse and by keyboard alike: arrows
// move, Space chooses, Shift extends, Ctrl+A takes all that is shown.
import { fill, number } from "../figures.js";
import { words } from "../data/words.js";

const PER_PAGE = 100;

export class Choices extends EventTarget {
  // `about` says what is written behind an item's name.
  constructor(list, about) {
    super();
    Object.assign(this, { list, about, items: [], page: 0, at: 0 });
    this.chosen = new Set();
    list.addEventListener("click", (event) => this.clicked(event));
    list.addEventListener("keydown", (event) => this.key(event));
    list.addEventListener("dragstart", (event) => this.dragged(event));
    // A list that scrolled now would move away under the pointer that gives the focus.
    list.addEventListener("focus", () => this.point(this.at, false));
  }

  get ids() {
    return this.items.filter((one) => this.chosen.has(one.id)).map((one) => one.id);
  }

  get chosenItems() {
    return this.items.filter((one) => this.chosen.has(one.id));
  }

  get pages() {
    return Math.max(1, Math.ceil(this.items.length / PER_PAGE));
  }

  get shown() {
    return this.items.slice(this.page * PER_PAGE, (this.page + 1) * PER_PAGE);
  }

  set(items) {
    this.items = items;
    const known = new Set(items.map((one) => one.id));
    for (const id of this.chosen) if (!known.has(id)) this.chosen.delete(id);
    this.turn(this.page);
  }

  turn(page) {
    this.page = Math.max(0, Math.min(page, this.pages - 1));
    this.at = 0;
    this.draw();
  }

  clear() {
    this.chosen.clear();
    this.mark();
  }

  draw() {
    this.list.replaceChildren(...this.shown.map((one, at) => this.option(one, at)));
    this.list.removeAttribute("aria-activedescendant");
    this.mark();
  }

  option(one, at) {
    const option = document.getElementById("set-option").content.firstElementChild.cloneNode(true);
    option.id = `${this.list.id}-${at}`;
    option.dataset.id = one.id;
    option.dataset.at = at;
    const [name, about, tags] = ["name", "about", "tags"].map((slot) =>
      option.querySelector(`[data-slot=${slot}]`),
    );
    name.textContent = one.name || `#${one.id}`;
    about.textContent = this.about(one);
    tags.textContent = (one.tags ?? []).join(", ");
    return option;
  }

  mark() {
    for (const option of this.list.children) {
      const isChosen = this.chosen.has(Number(option.dataset.id));
      option.setAttribute("aria-selected", String(isChosen));
    }
    this.dispatchEvent(new Event("chosen"));
  }

  // Chosen or not; with Shift all from where one was before.
  toggle(at, isFar = false) {
    const id = this.shown[at]?.id;
    if (id === undefined) return;
    if (isFar) {
      const [from, to] = [Math.min(this.at, at), Math.max(this.at, at)];
      for (const one of this.shown.slice(from, to + 1)) this.chosen.add(one.id);
    } else if (!this.chosen.delete(id)) this.chosen.add(id);
    this.point(at);
    this.mark();
  }

  point(at, scrolls = true) {
    const last = this.shown.length - 1;
    this.at = Math.max(0, Math.min(at, last));
    for (const option of this.list.children) option.classList.remove("is-at");
    const option = this.list.children[this.at];
    if (!option) return;
    option.classList.add("is-at");
    this.list.setAttribute("aria-activedescendant", option.id);
    if (scrolls) option.scrollIntoView({ block: "nearest" });
  }

  clicked(event) {
    const option = event.target.closest("[role=option]");
    if (option) this.toggle(Number(option.dataset.at), event.shiftKey);
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      const to = Math.max(0, Math.min(this.at + steps[event.key], this.shown.length - 1));
      if (event.shiftKey) this.toggle(to, true);
      else this.point(to);
    } else if (event.key === " ") this.toggle(this.at);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.all();
    else if (event.key === "PageDown") this.turn(this.page + 1);
    else if (event.key === "PageUp") this.turn(this.page - 1);
    else if (event.key === "Escape" && this.chosen.size) this.clear();
    else if (["Delete", "Backspace", "Enter"].includes(event.key)) {
      this.dispatchEvent(new CustomEvent("key", { detail: event.key }));
    } else return;
    event.preventDefault();
    // Single letters lead elsewhere on other places of a page.
    event.stopPropagation();
  }

  all() {
    for (const one of this.shown) this.chosen.add(one.id);
    this.mark();
  }

  // What is dragged is what is chosen, if it is among it.
  dragged(event) {
    const option = event.target.closest("[role=option]");
    const id = Number(option.dataset.id);
    if (!this.chosen.has(id)) {
      this.chosen.clear();
      this.chosen.add(id);
      this.mark();
    }
    event.dataTransfer.effectAllowed = "copyMove";
    event.dataTransfer.setData("application/x-kqi-items", this.list.id);
    event.dataTransfer.setData("text/plain", this.ids.map((one) => `#${one}`).join(" "));
  }
}

export function pagesOf(choices) {
  if (!choices.items.length) return "";
  const from = choices.page * PER_PAGE + 1;
  const to = Math.min(choices.items.length, from + PER_PAGE - 1);
  return fill(words.shown, { from: number(from), to: number(to), all: number(choices.items.length) });
}
