// The TensorBoard of a run: a small job of the person's, asked for through the agent.
import { wait } from "../agent.js";
import { agentOf, insist, note, parts, runPath } from "./live.js";

const LIVE = new Set(["asked", "waiting", "starting", "running"]);
const SOON_MS = 3_000;
const LATER_MS = 30_000;

class Board {
  constructor(part) {
    this.part = part;
    this.words = part.dataset;
    this.form = part.querySelector("form");
    this.live = part.querySelector("[data-live-board]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.order("POST", this.wish());
    });
    part.querySelector("[data-stop]").addEventListener("click", () => this.order("DELETE"));
    part.querySelector("[data-open]").addEventListener("click", (event) => {
      event.preventDefault();
      this.open();
    });
    this.watch();
  }

  wish() {
    const { queue, tenant } = this.words;
    const beside = this.form.elements.with.value.split(/[\s,]+/).filter(Boolean);
    const runs = beside.map((one) => (one.includes("/") ? one : `training/${one.replace(/^#/, "")}`));
    return { hours: Number(this.form.elements.hours.value), queue, tenant, with: runs };
  }

  async order(method, body) {
    this.busy(true);
    note(this.part, method === "POST" ? this.words.asking : this.words.stopping);
    try {
      this.show(await insist(this.part, () => this.ask({ method, body })));
      this.watch();
    } catch (error) {
      note(this.part, error.message);
    } finally {
      this.busy(false);
    }
  }

  ask(options) {
    return agentOf(this.part).json(`${runPath(this.part)}/tensorboard`, options);
  }

  // Asked again while something is under way and the page is looked at.
  async watch() {
    this.watching?.abort();
    const { signal } = (this.watching = new AbortController());
    while (!signal.aborted && this.part.isConnected) {
      if (document.visibilityState === "visible") {
        const seen = await insist(this.part, () => this.ask({ signal }), { signal }).catch(() => null);
        if (signal.aborted) return;
        if (seen) this.show(seen);
        if (seen && !LIVE.has(seen.state)) return;
      }
      await wait(this.state === "running" ? LATER_MS : SOON_MS, signal);
    }
  }

  show(seen) {
    this.state = seen.state;
    this.path = seen.path;
    const isLive = LIVE.has(seen.state);
    this.form.hidden = isLive;
    this.live.hidden = !isLive;
    this.part.querySelector("[data-open]").hidden = seen.state !== "running";
    const left = seen.ends_in_s ? this.words.left.replace("{minutes}", Math.max(1, Math.round(seen.ends_in_s / 60))) : "";
    note(this.part, [this.words[`state${seen.state}`], left, seen.said].filter(Boolean).join(" "));
  }

  async open() {
    const opened = window.open("about:blank", "_blank");
    try {
      const { url } = await agentOf(this.part).address(this.path);
      if (opened) {
        opened.opener = null;
        opened.location.replace(url);
      } else location.assign(url);
    } catch (error) {
      opened?.close();
      note(this.part, error.message);
    }
  }

  busy(isBusy) {
    for (const one of this.part.querySelectorAll("button")) one.disabled = isBusy;
  }
}

parts("tensorboard", (part) => new Board(part));
