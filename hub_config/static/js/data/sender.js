// Send files to the store, several at once. It goes on by itself when the network comes
// back, and stops where somebody must do something first. Each round begins with what
// the store says it has: nothing is sent twice, nothing is believed to be there.
import { packed, piecesOf } from "./pieces.js";
import { Lost, Refused } from "./store.js";

const AT_ONCE = 4;
const SLICE = 64 * 1024 * 1024;
const ASKED_AT_ONCE = 5000;
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

// A file on this computer that cannot be read any more.
export class Unreadable extends Error {}

export class Sender extends EventTarget {
  constructor(store, files) {
    super();
    Object.assign(this, { store, files });
    this.total = files.reduce((sum, one) => sum + one.size, 0);
    this.done = new Set();
    this.safe = 0;
    this.moving = new Map();
    this.state = "asking";
    this.pause_ms = FIRST_MS;
    this.control = null;
    this.goOn = null;
  }

  get bytes() {
    return this.safe + [...this.moving.values()].reduce((sum, one) => sum + one, 0);
  }

  // Runs until every file is in the store; throws what nobody can mend here.
  async run(isNew) {
    let isKnown = isNew;
    for (;;) {
      this.control = new AbortController();
      const problem = await this.round(isKnown).catch((error) => error);
      this.moving.clear();
      isKnown = false;
      if (!problem) return this.tell("sent");
      if (this.state === "stopped") throw problem;
      if (this.state === "paused") await this.resumed();
      else if (problem.name === "AbortError") continue;
      else if (problem.code === "disk-full" || problem.status === 507) await this.stuck(problem);
      else if (problem instanceof Lost) await this.again();
      else throw problem;
    }
  }

  pause() {
    this.tell("paused");
    this.control?.abort();
  }

  stop() {
    this.tell("stopped");
    this.control?.abort();
    this.goOn?.();
  }

  resume() {
    this.pause_ms = FIRST_MS;
    this.tell("asking");
    this.goOn?.();
  }

  async round(isKnown) {
    const rest = this.files.filter((one) => !this.done.has(one.path));
    const offsets = isKnown ? new Map() : await this.offsets(rest);
    this.safe = this.files.reduce((sum, one) => sum + this.safeOf(one, offsets), 0);
    this.tell("sending");
    const left = rest.filter((one) => !this.done.has(one.path));
    const pieces = piecesOf(left, offsets);
    const workers = Array.from({ length: AT_ONCE }, () => this.work(pieces));
    try {
      await Promise.all(workers);
    } catch (error) {
      // The others stop too; the next round asks what has arrived.
      this.control.abort();
      await Promise.allSettled(workers);
      throw error;
    }
  }

  async offsets(files) {
    const found = new Map();
    for (let at = 0; at < files.length; at += ASKED_AT_ONCE) {
      const known = await this.store.known(files.slice(at, at + ASKED_AT_ONCE));
      for (const { path, offset, done } of known) {
        if (done) this.done.add(path);
        else found.set(path, offset);
      }
    }
    return found;
  }

  safeOf(one, offsets) {
    return this.done.has(one.path) ? one.size : (offsets.get(one.path) ?? 0);
  }

  async work(pieces) {
    for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
      if (this.control.signal.aborted) throw new DOMException("stopped", "AbortError");
      try {
        await (piece.kind === "pack" ? this.sendPack(piece) : this.sendFile(piece));
      } catch (error) {
        if (error instanceof Lost) await readable(piece.files);
        throw error;
      }
      this.pause_ms = FIRST_MS;
    }
  }

  async sendPack(piece) {
    const answer = await this.store.pack(packed(piece.files), this.about(piece));
    this.moving.delete(piece);
    // One that is not whole is met again in the next round.
    if (answer.taken < piece.files.length) throw new Lost();
    for (const one of piece.files) this.done.add(one.path);
    this.add(piece.bytes);
  }

  async sendFile(piece) {
    const [one] = piece.files;
    let offset = piece.offset;
    for (;;) {
      const slice = one.file.slice(offset, offset + SLICE);
      const before = offset;
      let answer;
      try {
        answer = await this.store.file(one, offset, slice, this.about(piece));
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== "offset") throw error;
        answer = error.said;
        if (answer.offset === before) throw error;
      }
      this.moving.delete(piece);
      offset = answer.offset;
      this.add(offset - before);
      if (answer.done) break;
    }
    this.done.add(one.path);
    this.add(0);
  }

  about(piece) {
    return {
      signal: this.control.signal,
      tell: (loaded) => {
        this.moving.set(piece, Math.min(loaded, piece.bytes));
        this.dispatchEvent(new Event("moved"));
      },
    };
  }

  add(bytes) {
    this.safe += bytes;
    this.dispatchEvent(new Event("moved"));
  }

  tell(state, problem = null) {
    this.state = state;
    this.problem = problem;
    this.dispatchEvent(new Event("state"));
  }

  resumed() {
    return new Promise((done) => {
      this.goOn = done;
    });
  }

  async stuck(problem) {
    this.tell("full", problem);
    await this.resumed();
  }

  // A network that comes back is told by the browser; else it is tried now and then.
  async again() {
    this.tell("waiting");
    const ms = this.pause_ms;
    this.pause_ms = Math.min(LONGEST_MS, ms * 2);
    await new Promise((done) => {
      const timer = setTimeout(done, ms);
      const now = () => {
        clearTimeout(timer);
        done();
      };
      addEventListener("online", now, { once: true });
      this.goOn = now;
    });
    if (this.state === "paused") await this.resumed();
  }
}

// A request that breaks may mean that a file is not there any more.
async function readable(files) {
  for (const { path, size, file } of files) {
    if (!size) continue;
    await file.slice(size - 1, size).arrayBuffer().catch(() => {
      throw new Unreadable(path);
    });
  }
}
