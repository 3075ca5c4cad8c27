// Files beside a run: listed, uploaded, fetched and deleted by one's own agent. Of a name
// there is one: what is there is never replaced. The run's own ones stay.
import { Refused } from "../agent.js";
import { fill, momentText, number, size } from "../figures.js";
import { saveLog } from "../save_log.js";

const ROOT = "scratch";
const MOST = 200;

function each(element, name) {
  return element.querySelector(`[data-${name}]`);
}

class Attachments {
  // `files` is what the page of files does: its words are found in this page by now.
  constructor(part, files) {
    Object.assign(this, { part, files, words: part.dataset });
    this.place = { root: ROOT, path: part.dataset.path };
    this.uploads = new files.Uploads();
    this.taken = [];
    this.listen();
    this.look();
  }

  listen() {
    const form = each(this.part, "put");
    const field = form.querySelector("input");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.taken = [];
      const files = [...field.files].map((file) => ({ file, path: file.name }));
      this.uploads.add(this.place, { files, folders: [] });
      form.reset();
    });
    const cancel = each(form, "cancel");
    cancel.addEventListener("click", () => this.uploads.cancel());
    this.uploads.addEventListener("progress", () => this.tell());
    this.uploads.addEventListener("state", () => {
      cancel.hidden = !this.uploads.isLive && this.uploads.state !== "paused";
      this.turn();
    });
  }

  // An upload asks what to do with names that are taken: they are left out, and said.
  turn() {
    const { uploads } = this;
    if (uploads.state === "asking") {
      this.taken.push(...uploads.clashing.map(({ file }) => file.name));
      uploads.decide("skip");
    } else if (["done", "failed", "paused", "cancelled"].includes(uploads.state)) {
      this.note(this.outcome());
      this.look(true);
    } else this.tell();
  }

  outcome() {
    const { uploads, words } = this;
    return [
      uploads.doneFiles ? fill(words.arrived, { count: number(uploads.doneFiles) }) : "",
      this.taken.length ? fill(words.taken, { names: this.taken.join(", ") }) : "",
      uploads.problem,
      ...uploads.failed.map(({ item, message }) => `${item.file?.name ?? item.path}: ${message}`),
    ].filter(Boolean).join(" ");
  }

  tell() {
    const { uploads } = this;
    if (!uploads.isLive) return;
    const sent = { done: size(uploads.sentBytes), all: size(uploads.allBytes) };
    this.note([fill(this.words.sending, sent), uploads.problem].filter(Boolean).join(" "));
  }

  note(text) {
    each(this.part, "note").textContent = text;
  }

  // Before the run has begun there may be no folder.
  async look(isQuiet = false) {
    const { ask, patiently } = this.files;
    const signal = new AbortController().signal;
    const again = () => new Promise(() => {});
    const told = (text) => this.note(text);
    try {
      const page = await patiently(() => ask("list", this.place, { limit: MOST }), { told, again, signal });
      if (!isQuiet) this.note("");
      this.draw(page.entries, Boolean(page.next));
    } catch (error) {
      if (error instanceof Refused && error.code === "not-there") this.draw([], false);
      else this.note(error.message);
    }
  }

  draw(entries, isCut) {
    const { words } = this;
    const list = each(this.part, "list");
    const lines = entries
      .filter(({ name }) => !name.startsWith("."))
      .map((entry) => this.line(entry.name, entry, entry.name === words.own));
    if (words.log) {
      lines.unshift(this.line(words.saved, { kind: "file", isLog: true }, true));
    }
    const said = isCut ? fill(words.rest, { count: number(MOST) }) : "";
    const more = lines.length ? said : words.none;
    if (more) lines.push(Object.assign(document.createElement("li"), { textContent: more, className: "soft" }));
    list.replaceChildren(...lines);
  }

  line(shown, entry, isRuns) {
    const { words } = this;
    const line = each(this.part, "line").content.firstElementChild.cloneNode(true);
    each(line, "name").textContent = shown;
    each(line, "about").textContent = [
      entry.kind === "file" ? "" : (words[entry.kind] ?? ""),
      entry.kind === "file" && entry.size !== undefined ? size(entry.size) : "",
      entry.changed_at === undefined ? "" : momentText(entry.changed_at),
      isRuns ? words.isrun : "",
    ].filter(Boolean).join(" · ");
    for (const which of line.querySelectorAll("[data-which]")) which.textContent = ` ${shown}`;
    each(line, "fetch").addEventListener("click", () => {
      if (entry.isLog) saveLog(words.log, words.saved);
      else this.fetch({ root: ROOT, path: `${this.place.path}/${entry.name}` }, entry.kind);
    });
    const remove = each(line, "delete");
    if (isRuns) remove.remove();
    else remove.addEventListener("click", () => this.askDelete(entry.name));
    return line;
  }

  fetch(place, kind) {
    const { fetchTo, contentAddress, archiveAddress } = this.files;
    fetchTo(place, kind === "folder" ? archiveAddress(place, "zip") : contentAddress(place));
  }

  askDelete(name) {
    const sure = each(this.part, "sure");
    each(sure, "lost").textContent = name;
    sure.returnValue = "keep";
    sure.addEventListener("close", () => {
      if (sure.returnValue === "delete") this.delete(name);
    }, { once: true });
    sure.showModal();
  }

  async delete(name) {
    try {
      const { signal } = new AbortController();
      const { failed } = await this.files.remove(this.place, [name], () => {}, signal);
      const problem = failed.map(({ message }) => message).join(" ");
      this.note(problem || fill(this.words.gone, { name }));
    } catch (error) {
      this.note(error.message);
    }
    this.look(true);
    document.getElementById("attachments").focus();
  }
}

// What the page of files uses reads its words when it is loaded, so it is loaded for a
// page that has them.
async function begin(part) {
  const [{ Uploads }, { ask, patiently }, fetching, { remove }] = await Promise.all([
    import("../files/sending.js"),
    import("../files/source.js"),
    import("../files/download.js"),
    import("../files/counting.js"),
  ]);
  new Attachments(part, { Uploads, ask, patiently, remove, ...fetching });
}

const part = document.querySelector("[data-run-attachments]");
if (part) begin(part);
