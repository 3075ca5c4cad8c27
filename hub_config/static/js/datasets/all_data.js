// All data of the tenant beside the areas: searched, chosen, put into one of them.
import { fill, number } from "../figures.js";
import { complain } from "../messages.js";
import { words } from "../data/words.js";
import { button, named } from "./areas.js";
import { Choices } from "./choices.js";
import { Found, PER_PAGE } from "./found.js";

const TYPED_MS = 350;

function byId(name) {
  return document.getElementById(`set-${name}`);
}

export class AllData {
  constructor(entries, tenant, put) {
    Object.assign(this, { entries, put, timer: 0 });
    this.found = new Found(byId("search"), tenant);
    this.choices = new Choices(byId("all"), (one) => this.about(one));
    this.choices.addEventListener("chosen", () => this.offer());
    // Enter leads from the list to the buttons that say where to.
    this.choices.addEventListener("key", (event) => {
      if (event.detail === "Enter" && this.choices.ids.length) byId("into").querySelector("button").focus();
    });
    byId("search").addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), TYPED_MS);
    });
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.look();
    });
    byId("into").addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-does=put]");
      if (pressed) this.take(pressed.dataset.type);
    });
    byId("all-shown").addEventListener("click", () => this.choices.all());
    byId("previous").addEventListener("click", () => this.look(this.found.page - 1));
    byId("next").addEventListener("click", () => this.look(this.found.page + 1));
    byId("everything").addEventListener("click", (event) => {
      const pressed = event.target.closest("button");
      if (pressed) this.everything(pressed);
    });
  }

  about(one) {
    const where = this.entries.typesOf(one.id).map(named);
    const said = [`#${one.id}`, fill(words.files, { count: number(one.files) })];
    if (where.length) said.push(fill(words.inType, { types: where.join(", ") }));
    return said.join(" · ");
  }

  // Put what is chosen into an area.
  take(type) {
    this.put(this.choices.chosenItems, type);
    this.choices.clear();
  }

  async look(page = 1) {
    this.choices.list.setAttribute("aria-busy", "true");
    try {
      const items = await this.found.fetch(page);
      if (items) this.show(items);
    } catch (error) {
      complain(error.message);
    } finally {
      this.choices.list.removeAttribute("aria-busy");
    }
  }

  show(items) {
    const { found } = this;
    this.choices.set(items);
    this.choices.clear();
    const from = (found.page - 1) * PER_PAGE + 1;
    byId("found").textContent = items.length
      ? fill(words.shown, { from: number(from), to: number(from + items.length - 1), all: number(found.total) })
      : words.nothingFound;
    byId("previous").hidden = found.page === 1;
    byId("next").hidden = found.page >= found.pages;
    byId("everything").hidden = found.total <= items.length;
  }

  async everything(pressed) {
    pressed.setAttribute("aria-busy", "true");
    try {
      this.put(await this.found.all(), byId("everything-type").value);
    } catch (error) {
      complain(error.message);
    } finally {
      pressed.removeAttribute("aria-busy");
    }
  }

  // One button for each type that there is.
  build() {
    const into = this.entries.types.map((type) => button("put", type, fill(words.into, { type: named(type) })));
    byId("into").replaceChildren(...into);
    const options = this.entries.types.map((type) => new Option(named(type), type));
    byId("everything-type").replaceChildren(...options);
    this.offer();
  }

  // In which types each is, written anew; what is chosen stays chosen.
  draw() {
    const items = new Map(this.choices.items.map((one) => [one.id, one]));
    for (const option of this.choices.list.children) {
      const one = items.get(Number(option.dataset.id));
      option.querySelector("[data-slot=about]").textContent = this.about(one);
    }
  }

  offer() {
    const count = this.choices.ids.length;
    for (const one of byId("into").children) one.disabled = !count;
    byId("chosen").textContent = count ? fill(words.picked, { count: number(count) }) : "";
  }
}
