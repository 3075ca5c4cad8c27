// The field that files are put into: by picker, as a whole folder, or dropped.
import { fill, number, size } from "../figures.js";
import { bytesOf, isFiles, ofDrop, ofInput, together } from "./picking.js";
import { words } from "./words.js";

const SHOWN = 200;

export class Chosen extends EventTarget {
  constructor(place) {
    super();
    this.place = place;
    this.files = [];
    for (const input of place.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        this.add(ofInput(input));
        // The same folder can be chosen once more.
        input.value = "";
      });
    }
    place.querySelector("[data-does=none]").addEventListener("click", () => this.set([]));
    for (const kind of ["dragenter", "dragover"]) place.addEventListener(kind, (e) => this.over(e));
    for (const kind of ["dragleave", "drop"]) place.addEventListener(kind, (e) => this.out(e));
    place.addEventListener("drop", (event) => this.dropped(event));
    this.draw();
  }

  over(event) {
    if (!isFiles(event)) return;
    event.preventDefault();
    this.place.classList.add("is-over");
  }

  out(event) {
    if (event.type === "drop" || !this.place.contains(event.relatedTarget)) {
      this.place.classList.remove("is-over");
    }
  }

  async dropped(event) {
    if (!isFiles(event)) return;
    event.preventDefault();
    this.place.setAttribute("aria-busy", "true");
    try {
      this.add(await ofDrop(event.dataTransfer));
    } finally {
      this.place.removeAttribute("aria-busy");
    }
  }

  add(more) {
    this.set(together(this.files, more));
  }

  set(files) {
    this.files = files;
    this.draw();
    this.dispatchEvent(new Event("change"));
  }

  get bytes() {
    return bytesOf(this.files);
  }

  draw() {
    const [summary, list] = ["summary", "list"].map((name) =>
      this.place.querySelector(`[data-slot=${name}]`),
    );
    const has = this.files.length > 0;
    summary.textContent = has
      ? fill(words.chosen, { files: number(this.files.length), bytes: size(this.bytes) })
      : "";
    this.place.querySelector("[data-slot=has]").hidden = !has;
    list.replaceChildren(...this.files.slice(0, SHOWN).map(line));
    if (this.files.length > SHOWN) {
      const more = document.createElement("li");
      more.textContent = fill(words.more, { count: number(this.files.length - SHOWN) });
      list.append(more);
    }
  }
}

function line({ path, size: bytes }) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.className = "anywhere";
  name.textContent = path;
  const much = document.createElement("span");
  much.className = "soft number";
  much.textContent = size(bytes);
  item.append(name, much);
  return item;
}
