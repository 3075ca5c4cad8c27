// A run's log: followed to its end (../notebooks/log.js), searched, and read at any place,
// however long it is. The agent reads pieces of it; the page never has all of it.
import "../notebooks/log.js";
import { append } from "../log_view.js";
import { agentOf, insist, note, parts } from "./live.js";

const PIECE_BYTES = 64 * 1024;
const MOST_SHOWN = 200;

class Search {
  constructor(part) {
    this.part = part;
    this.words = part.dataset;
    this.form = part.querySelector("form");
    this.list = part.querySelector("[data-found]");
    this.place = part.querySelector("[data-piece]");
    this.code = this.place.querySelector("code");
    this.more = part.querySelector("[data-more]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.begin();
    });
    this.more.addEventListener("click", () => this.search());
    this.list.addEventListener("click", (event) => {
      const found = event.target.closest("[data-at]");
      if (found) this.read(Math.max(0, Number(found.dataset.at) - PIECE_BYTES / 16), found);
    });
    part.querySelector("[data-first]").addEventListener("click", () => this.read(0));
    part.querySelector("[data-earlier]").addEventListener("click", () => this.read(Math.max(0, this.from - PIECE_BYTES)));
    part.querySelector("[data-later]").addEventListener("click", () => this.read(this.to));
    part.querySelector("[data-close]").addEventListener("click", () => {
      this.place.hidden = true;
    });
  }

  begin() {
    this.text = this.form.elements.text.value;
    this.next = 0;
    this.count = 0;
    this.list.replaceChildren();
    if (this.text) this.search();
  }

  // One question reads for a second at most; the next goes on where it ended.
  async search() {
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    const until = this.count + MOST_SHOWN;
    this.more.hidden = true;
    note(this.part, this.words.searching);
    try {
      for (;;) {
        const query = new URLSearchParams({ job: this.words.job, text: this.text, from: this.next });
        const found = await this.ask(`api/log/search?${query}`, signal);
        for (const match of found.matches) this.add(match);
        this.next = found.next;
        const percent = found.size ? Math.floor((100 * found.next) / found.size) : 100;
        note(this.part, this.words.found.replace("{count}", this.count).replace("{percent}", percent));
        if (found.is_over) return;
        if (this.count >= until) break;
      }
      this.more.hidden = false;
    } catch (error) {
      if (!signal.aborted) note(this.part, error.message);
    }
  }

  ask(path, signal) {
    const agent = agentOf(this.part);
    return insist(this.part, () => agent.json(path, { signal }), { signal });
  }

  add({ at, text }) {
    this.count += 1;
    const line = document.createElement("li");
    const way = document.createElement("button");
    way.type = "button";
    way.className = "btn btn-quiet btn-sm log-found";
    way.dataset.at = at;
    append(way.appendChild(document.createElement("code")), text, false);
    line.append(way);
    this.list.append(line);
  }

  async read(from) {
    try {
      const query = new URLSearchParams({ job: this.words.job, from, to: from + PIECE_BYTES });
      const piece = await this.ask(`api/log?${query}`);
      this.from = piece.from;
      this.to = piece.to;
      this.place.hidden = false;
      this.code.textContent = "";
      append(this.code, piece.text, false);
      this.place.querySelector("[data-where]").textContent = this.words.where
        .replace("{from}", piece.from)
        .replace("{to}", piece.to)
        .replace("{size}", piece.size);
      this.part.querySelector("[data-earlier]").disabled = piece.from === 0;
      this.part.querySelector("[data-later]").disabled = piece.to >= piece.size;
      const pre = this.code.parentElement;
      pre.scrollTop = 0;
      pre.focus();
    } catch (error) {
      note(this.part, error.message);
    }
  }
}

parts("log", (part) => new Search(part));
