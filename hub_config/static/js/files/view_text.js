// Text, piece by piece, and a log as it grows: what is far away is never loaded.
import { nameOf } from "./place.js";
import { ask } from "./source.js";
import { copyOf, fill, size, slots, words } from "./words.js";

const PIECE_BYTES = 256 * 1024;
const NEWS_MS = 2_000;
const SHOWN_CHARACTERS = 1_000_000;
const wrapKey = "kqi-files-wrap";

export class TextView {
  constructor(place, found) {
    this.place = place;
    this.element = copyOf("files-view-text");
    this.at = slots(this.element);
    this.pre = this.element.querySelector("pre");
    this.code = this.element.querySelector("code");
    this.pre.setAttribute("aria-label", fill(words.contentOf, { name: nameOf(place.path) }));
    this.control = new AbortController();
    this.timer = 0;
    this.take(found);
    this.at.wrap.checked = localStorage.getItem(wrapKey) !== "no";
    this.wrap();
    this.listen();
  }

  // Where a log was opened, its end is in sight.
  begin() {
    this.pre.scrollTop = this.piece.from > 0 ? this.pre.scrollHeight : 0;
  }

  stop() {
    clearTimeout(this.timer);
    this.control.abort();
  }

  take(piece) {
    this.piece = piece;
    this.code.textContent = piece.text;
    this.showPart();
  }

  showPart() {
    const { from, to, size: whole } = this.piece;
    const isWhole = from === 0 && to >= whole;
    this.at.part.textContent = isWhole
      ? size(whole)
      : fill(words.part, { from: size(from), to: size(to), size: size(whole) });
    const buttons = { first: from > 0, previous: from > 0, next: to < whole, last: to < whole };
    for (const [name, isOffered] of Object.entries(buttons)) {
      this.element.querySelector(`[data-does=${name}-piece]`).hidden = !isOffered;
    }
  }

  listen() {
    const turns = {
      "first-piece": () => this.turn(0),
      "last-piece": () => this.turn(-PIECE_BYTES, true),
      "previous-piece": () => this.turn(Math.max(0, this.piece.from - PIECE_BYTES), true, this.piece.from),
      "next-piece": () => this.turn(this.piece.to),
    };
    this.element.addEventListener("click", (event) => {
      const does = event.target.closest("[data-does]")?.dataset.does;
      if (Object.hasOwn(turns, does ?? "")) turns[does]();
    });
    this.at.wrap.addEventListener("change", () => {
      localStorage.setItem(wrapKey, this.at.wrap.checked ? "yes" : "no");
      this.wrap();
    });
    this.at.follow.addEventListener("change", () => {
      if (this.at.follow.checked) this.follow();
      else clearTimeout(this.timer);
    });
  }

  wrap() {
    this.pre.classList.toggle("is-long", !this.at.wrap.checked);
  }

  async turn(from, isEnd = false, to = undefined) {
    try {
      this.take(await this.ask({ from, to }));
      this.pre.scrollTop = isEnd ? this.pre.scrollHeight : 0;
      this.pre.focus({ preventScroll: true });
    } catch (error) {
      this.fail(error);
    }
  }

  ask(more) {
    const { signal } = this.control;
    return ask("view", this.place, { as: "text", ...more }, { signal });
  }

  // Stay at the end, as long as the reader wants that and the page is looked at.
  async follow() {
    clearTimeout(this.timer);
    try {
      if (document.visibilityState === "visible") await this.grow();
    } catch (error) {
      this.fail(error);
    }
    if (!this.control.signal.aborted && this.at.follow.checked) {
      this.timer = setTimeout(() => this.follow(), NEWS_MS);
    }
  }

  async grow() {
    if (this.piece.to < this.piece.size) {
      await this.turn(-PIECE_BYTES, true);
      return;
    }
    const more = await this.ask({ from: this.piece.to });
    if (more.size < this.piece.to) {
      // It was begun anew.
      this.take(await this.ask({ from: -PIECE_BYTES }));
    } else if (more.text) {
      const text = (this.code.textContent + more.text).slice(-SHOWN_CHARACTERS);
      this.code.textContent = text;
      this.piece = { ...this.piece, to: more.to, size: more.size };
      this.showPart();
    }
    this.pre.scrollTop = this.pre.scrollHeight;
  }

  fail(error) {
    if (!this.control.signal.aborted) this.at.part.textContent = error.message;
  }
}
