// Choose files and folders of one's own scratch; the person's agent says what is there.
import { Agent, Starting, wait } from "../agent.js";
import { fill, number, size } from "../figures.js";
import { words } from "./words.js";

const PAUSE_MS = 1000;
const PATIENCE_MS = 60_000;
const PAGE = 200;

// Ask until the agent has started.
export async function patiently(ask, say = () => {}) {
  const began = Date.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Starting) || Date.now() - began > PATIENCE_MS) throw error;
      say(error.message);
      await wait(PAUSE_MS);
    }
  }
}

export function newAgent() {
  return new Agent(words.agent, { starting: words.starting, broken: words.broken });
}

export class Scratch {
  constructor(place) {
    this.place = place;
    this.agent = newAgent();
    this.folder = "";
    this.next = null;
    this.chosen = new Map();
    this.isOpen = false;
    this.slot("list").addEventListener("click", (event) => this.clicked(event));
    this.slot("list").addEventListener("change", (event) => this.ticked(event.target));
    this.slot("up").addEventListener("click", () => this.show(parent(this.folder)));
    this.slot("more").addEventListener("click", () => this.fetch());
    this.slot("none").addEventListener("click", () => {
      this.chosen.clear();
      this.show(this.folder);
    });
  }

  slot(name) {
    return this.place.querySelector(`[data-slot=${name}]`);
  }

  open() {
    if (this.isOpen) return;
    this.isOpen = true;
    this.show("");
  }

  // Begin with what was chosen on the page of files; the agent says what each is.
  async begin(paths) {
    this.isOpen = true;
    const line = this.slot("line");
    line.textContent = words.looking;
    try {
      for (const path of paths) {
        const query = new URLSearchParams({ root: "scratch", path });
        const ask = () => this.agent.json(`api/files/stat?${query}`);
        const { kind, size: much } = await patiently(ask, (text) => (line.textContent = text));
        this.chosen.set(path, { kind, size: much });
      }
      await this.show(parent(paths[0]));
    } catch (error) {
      line.textContent = error.message;
    }
  }

  // What is chosen lies below this folder; paths of the item begin there.
  get base() {
    const folders = [...this.chosen.keys()].map(parent);
    if (new Set(folders).size === 1) return folders[0];
    let common = (folders[0] ?? "").split("/");
    for (const one of folders) {
      const names = one.split("/");
      let same = 0;
      while (same < common.length && common[same] === names[same]) same += 1;
      common = common.slice(0, same);
    }
    return common.join("/");
  }

  get paths() {
    return [...this.chosen.keys()];
  }

  async show(folder) {
    this.folder = folder;
    this.next = null;
    this.slot("list").replaceChildren();
    this.slot("where").textContent = `/scratch/${words.person}/${folder}`.replace(/\/$/, "");
    this.slot("up").hidden = !folder;
    await this.fetch();
    this.count_chosen();
  }

  async fetch() {
    const line = this.slot("line");
    const folder = this.folder;
    line.textContent = words.looking;
    const query = new URLSearchParams({ root: "scratch", path: folder, limit: PAGE });
    if (this.next) query.set("after", this.next);
    try {
      const ask = () => this.agent.json(`api/files/list?${query}`);
      const found = await patiently(ask, (text) => (line.textContent = text));
      if (folder !== this.folder) return;
      line.textContent = found.entries.length || this.next ? "" : words.empty;
      this.next = found.next ?? null;
      const kinds = found.entries.filter((one) => ["folder", "file"].includes(one.kind));
      this.slot("list").append(...kinds.map((one) => this.row(one)));
      this.slot("more").hidden = !this.next;
    } catch (error) {
      line.textContent = error.message;
    }
  }

  row(one) {
    const row = document.getElementById("data-scratch-row").content.firstElementChild.cloneNode(true);
    const path = one.path ?? [this.folder, one.name].filter(Boolean).join("/");
    const box = row.querySelector("input");
    const open = row.querySelector("button");
    const isFolder = one.kind === "folder";
    Object.assign(box, { value: path, checked: this.chosen.has(path) });
    box.dataset.size = one.size ?? 0;
    box.dataset.kind = one.kind;
    box.setAttribute("aria-label", one.name);
    row.querySelector("[data-slot=name]").textContent = isFolder ? "" : one.name;
    row.querySelector("[data-slot=size]").textContent = isFolder ? "" : size(one.size ?? 0);
    open.hidden = !isFolder;
    open.dataset.path = path;
    open.querySelector("span").textContent = one.name;
    return row;
  }

  clicked(event) {
    const open = event.target.closest("button[data-path]");
    if (open) this.show(open.dataset.path);
  }

  ticked(box) {
    if (box.checked) this.chosen.set(box.value, { kind: box.dataset.kind, size: Number(box.dataset.size) });
    else this.chosen.delete(box.value);
    this.count_chosen();
  }

  count_chosen() {
    this.slot("chosen").textContent = fill(words.places, { count: number(this.chosen.size) });
    this.slot("none").hidden = !this.chosen.size;
  }

  // How many files and bytes: the agent walks through folders.
  async count() {
    let [files, bytes] = [0, 0];
    for (const [path, { kind, size: much }] of this.chosen) {
      if (kind === "file") {
        files += 1;
        bytes += much;
        continue;
      }
      const found = await patiently(() => used(this.agent, path));
      files += found.files;
      bytes += found.bytes;
    }
    return { files, bytes };
  }
}

async function used(agent, path) {
  const query = new URLSearchParams({ root: "scratch", path });
  return agent.json(`api/files/use?${query}`);
}

function parent(path) {
  return path.split("/").slice(0, -1).join("/");
}
