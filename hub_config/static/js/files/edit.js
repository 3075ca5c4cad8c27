// A small text file in an editor. What somebody else has written meanwhile is never
// overwritten unasked.
import { Refused } from "../agent.js";
import { complain, say } from "../messages.js";
import { join, nameOf, parentOf } from "./place.js";
import { about, agent, ask } from "./source.js";
import { changed } from "./state.js";
import { copyOf, fill, slots, words } from "./words.js";

export class Editor {
  // `closed` is called when the editor is not needed any more.
  static async open(place, signal, closed) {
    return new Editor(place, await ask("text", place, {}, { signal }), closed);
  }

  constructor(place, { text, version }, closed) {
    this.place = place;
    this.closed = closed;
    this.version = version;
    this.newer = version;
    // Editors of browsers know one kind of line end only.
    this.lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
    this.element = copyOf("files-edit");
    this.at = slots(this.element);
    this.area = this.element.querySelector("textarea");
    this.area.value = text;
    this.saved = this.area.value;
    this.listen();
  }

  get isChanged() {
    return this.area.value !== this.saved;
  }

  focus() {
    this.area.focus();
    this.area.setSelectionRange(0, 0);
    this.area.scrollTop = 0;
  }

  listen() {
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(this.place, this.version);
    });
    this.element.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
        event.preventDefault();
        this.save(this.place, this.version);
      }
    });
    const does = {
      "stop-editing": () => this.leave(),
      overwrite: () => this.save(this.place, this.newer),
      "save-beside": () => this.save({ ...this.place, path: besideOf(this.place.path) }, ""),
      "take-theirs": () => this.close(),
    };
    this.element.addEventListener("click", (event) => {
      const name = event.target.closest("[data-does]")?.dataset.does ?? "";
      if (Object.hasOwn(does, name)) does[name]();
    });
  }

  leave() {
    if (!this.isChanged || confirm(words.unsaved)) this.close();
  }

  close() {
    this.saved = this.area.value;
    this.closed();
  }

  // `version` is the one that is replaced; "" is none: a new file.
  async save(place, version) {
    const button = this.element.querySelector("button.btn-primary");
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await this.send(place, version);
      say(fill(words.saved, { name: nameOf(place.path) }));
      this.close();
      changed();
    } catch (error) {
      if (error instanceof Refused && error.code === "changed") this.clash(error.said);
      else complain(error.message);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  send(place, version) {
    const headers = version ? { "If-Match": `"${version}"` } : { "If-None-Match": "*" };
    headers["Content-Type"] = "text/plain; charset=utf-8";
    const raw = this.area.value.replaceAll("\n", this.lineEnd);
    return agent.json(`api/files/text?${about(place)}`, { method: "PUT", raw, headers });
  }

  clash({ version }) {
    this.newer = version;
    this.at.clash.hidden = false;
    this.at.clash.querySelector("button").focus();
  }
}

// Beside it, by the time of day.
function besideOf(path) {
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "");
  return join(parentOf(path), `${stem} (${stamp})${ending}`);
}
