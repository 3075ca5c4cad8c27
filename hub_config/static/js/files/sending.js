// Uploads: files go several at once, large ones in pieces. What breaks off goes on where
// it was; after the page was closed too, when the same files are chosen again.
import { Refused, wait } from "../agent.js";
import { join } from "./place.js";
import { dropParts } from "./leftovers.js";
import { Broken, Halted, put } from "./put.js";
import { ask, order } from "./source.js";
import { words } from "./words.js";

const AT_ONCE = 4;
const PIECE_BYTES = 64 * 1024 * 1024;
// From here on the agent is asked first what it has, before bytes are sent in vain.
const ASKED_BYTES = 256 * 1024;
const FIRST_MS = 1_000;
const LONGEST_MS = 15_000;

export class Uploads extends EventTarget {
  constructor() {
    super();
    this.forget();
    this.control = new AbortController();
  }

  forget() {
    this.items = [];
    this.waiting = [];
    this.clashing = [];
    this.failed = [];
    this.doneFiles = 0;
    this.doneBytes = 0;
    this.skipped = 0;
    this.allBytes = 0;
    this.current = new Map();
    this.choice = "";
    this.problem = "";
    this.state = "none";
    this.running = 0;
  }

  get sentBytes() {
    let sum = this.doneBytes;
    for (const bytes of this.current.values()) sum += bytes;
    return sum;
  }

  get isLive() {
    return this.state === "going" || this.state === "broken";
  }

  // Files with their paths below a place; empty folders are made.
  add(place, { files, folders }) {
    if (["done", "failed", "cancelled", "none"].includes(this.state)) this.forget();
    for (const { file, path } of files) {
      const item = { place, file, path: join(place.path, path), offset: 0, isAsked: false };
      this.items.push(item);
      this.allBytes += file?.size ?? 0;
      this.waiting.push(item);
    }
    for (const path of folders) this.waiting.push({ place, path: join(place.path, path), isFolder: true });
    if (this.waiting.length === 0) return;
    this.dispatchEvent(new CustomEvent("begun", { detail: place }));
    if (this.state !== "paused") this.go();
  }

  go() {
    if (this.control.signal.aborted) this.control = new AbortController();
    this.problem = "";
    this.change("going");
    while (this.running < AT_ONCE && this.waiting.length) this.work();
  }

  pause(why = "") {
    this.problem = why;
    this.change("paused");
    this.control.abort();
  }

  cancel() {
    const begun = new Set([...this.current.keys(), ...this.waiting.filter((one) => one.offset > 0)]);
    this.waiting = [];
    this.clashing = [];
    this.change("cancelled");
    this.control.abort();
    dropParts([...begun].filter(({ file }) => file));
  }

  // What is there already, and what comes upon such from now on.
  decide(choice) {
    this.choice = choice;
    const clashing = this.clashing.splice(0);
    if (choice === "skip") this.skip(clashing);
    else this.waiting.push(...clashing);
    if (this.waiting.length) this.go();
    else this.settle();
  }

  retry() {
    this.waiting.push(...this.failed.splice(0).map(({ item }) => item));
    this.go();
  }

  skip(items) {
    for (const item of items) {
      this.skipped += 1;
      this.allBytes -= item.file.size;
    }
  }

  // One of those that send at the same time.
  async work() {
    const { signal } = this.control;
    this.running += 1;
    while (!signal.aborted && this.waiting.length) {
      const item = this.waiting.shift();
      try {
        await this.send(item, signal);
      } catch (error) {
        await this.refused(item, error, signal);
      } finally {
        this.current.delete(item);
      }
      this.tell();
    }
    this.running -= 1;
    if (this.running === 0) this.settle();
  }

  async refused(item, error, signal) {
    if (error instanceof Halted || signal.aborted) {
      if (this.state !== "cancelled") this.waiting.unshift(item);
    } else if (error instanceof Refused && error.code === "exists") {
      if (item.isDoubtful && (await isArrived(item))) this.arrived(item);
      else if (this.choice === "skip") this.skip([item]);
      else this.clashing.push(item);
    } else if (error instanceof Refused && error.status === 507) {
      this.waiting.unshift(item);
      this.pause(error.message);
    } else {
      this.failed.push({ item, message: error.message });
    }
  }

  async send(item, signal) {
    if (item.isFolder) return makeFolder(item, signal);
    if (!item.file) throw new Error(words.unreadable);
    const { size } = item.file;
    this.current.set(item, item.offset);
    if (!item.isAsked && size > ASKED_BYTES) await this.piece(item, new Blob(), signal);
    item.isAsked = true;
    let said = null;
    while (!said?.done) {
      if (signal.aborted) throw new Halted();
      said = await this.piece(item, item.file.slice(item.offset, item.offset + PIECE_BYTES), signal);
    }
    this.arrived(item);
    return said;
  }

  arrived(item) {
    this.doneFiles += 1;
    this.doneBytes += item.file.size;
  }

  // Send until this piece has arrived, however often the connection breaks.
  async piece(item, blob, signal) {
    let pause = FIRST_MS;
    for (;;) {
      try {
        const said = await this.putOnce(item, blob, signal);
        item.offset = said.offset;
        if (this.state === "broken") this.mended();
        return said;
      } catch (error) {
        if (error instanceof Refused && error.code === "offset") {
          item.offset = error.said.offset;
          return { done: false };
        }
        if (!(error instanceof Broken)) throw error;
        if (signal.aborted) throw new Halted();
        await this.lost(item, error, signal, pause);
        pause = Math.min(LONGEST_MS, pause * 2);
        // What has arrived of it, the agent says: no byte is sent in vain.
        if (blob.size > ASKED_BYTES) return this.piece(item, new Blob(), signal);
      }
    }
  }

  async lost(item, error, signal, pause) {
    if (!(await isReadable(item.file))) throw new Error(words.unreadable);
    // Its last answer may be what was lost.
    item.isDoubtful = true;
    this.problem = error.message;
    this.change("broken");
    await wait(pause, signal);
    if (signal.aborted) throw new Halted();
  }

  putOnce(item, blob, signal) {
    const about = {
      size: item.file.size,
      offset: item.offset,
      mark: String(item.file.lastModified),
      exists: EXISTS[this.choice] ?? "refuse",
    };
    const progress = (loaded) => {
      this.current.set(item, item.offset + Math.min(loaded, blob.size));
      this.tell();
    };
    return put(item.place, item.path, about, blob, { signal, progress });
  }

  mended() {
    this.problem = "";
    this.change("going");
  }

  settle() {
    if (this.state === "paused" || this.state === "cancelled") return;
    if (this.waiting.length) this.go();
    else if (this.clashing.length) this.change("asking");
    else this.change(this.failed.length ? "failed" : "done");
  }

  change(state) {
    if (this.state === state && state !== "paused") return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  tell() {
    this.dispatchEvent(new Event("progress"));
  }
}

const EXISTS = { overwrite: "overwrite", keep: "keep-both" };

async function makeFolder({ place, path }, signal) {
  try {
    await order("folder", { root: place.root, path, parents: true }, { signal });
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "exists") throw error;
  }
}

// A file that was moved or changed since it was chosen cannot be read any more; for the
// browser that looks like a connection that broke.
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

// Whether what is there is what was sent when the connection broke.
async function isArrived({ place, path, file }) {
  const found = await ask("stat", { ...place, path }).catch(() => null);
  return found?.kind === "file" && found.size === file.size;
}
