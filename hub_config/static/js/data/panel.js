// One upload under way: how far, how fast, what it waits for; pause, go on, give up.
import { call } from "../api.js";
import { copyOf, fill, number, size, slots, span } from "../figures.js";
import { Meter } from "./meter.js";
import { Sender, Unreadable } from "./sender.js";
import { Store } from "./store.js";
import { api, page, words } from "./words.js";

const DRAWN_EVERY_MS = 250;
const HEARD_EVERY = 0.1;
const ASKED_EVERY_MS = 1000;
const LONGEST_MS = 30_000;
// Marks of a page's template by the sender's state.
const MARKS = { asking: "busy", sending: "busy", publishing: "busy", sent: "busy", paused: "idle", waiting: "wait", full: "bad", failed: "bad", done: "good" };
const running = new Set();

addEventListener("beforeunload", (event) => {
  if (running.size) event.preventDefault();
});

export class Panel {
  constructor(where, upload, title) {
    this.upload = upload;
    this.element = copyOf("data-upload");
    this.place = slots(this.element);
    this.place.title.textContent = title;
    this.meter = new Meter();
    this.heard = 0;
    // What stands in place of the time left when there is nothing left.
    this.afterwards = "";
    this.drawn = 0;
    where.append(this.element);
    this.element.addEventListener("click", (event) => {
      const does = event.target.closest("[data-does]")?.dataset.does;
      if (does) this[does]?.();
    });
  }

  // Send the files and finish; returns the number of the data item, or null.
  async run(files, isNew) {
    const fresh = () => call("GET", api(`uploads/${this.upload.key}`));
    this.sender = new Sender(new Store(this.upload, fresh), files);
    this.sender.addEventListener("state", () => this.show(this.sender.state, this.sender.problem));
    this.sender.addEventListener("moved", () => this.move());
    this.show("asking");
    this.place.title.focus();
    running.add(this);
    try {
      await this.sender.run(isNew);
      return await this.finish();
    } catch (error) {
      if (this.sender.state !== "stopped") this.show("failed", said(error));
      return null;
    } finally {
      running.delete(this);
    }
  }

  // The portal publishes what is there; what breaks meanwhile is asked for again.
  async finish() {
    let pause_ms = ASKED_EVERY_MS;
    for (;;) {
      this.show("publishing");
      try {
        const { data } = await call("POST", api(`uploads/${this.upload.key}/finish`));
        if (data) return this.end(data.id);
      } catch (error) {
        if (error.status < 500) throw error;
        this.show(error.status === 507 ? "full" : "waiting", error);
      }
      await new Promise((done) => {
        this.sender.goOn = done;
        setTimeout(done, pause_ms);
      });
      pause_ms = Math.min(LONGEST_MS, pause_ms * 1.5);
    }
  }

  end(id) {
    this.show("done");
    this.place.open.href = page(`data/${id}`, this.upload.tenant);
    this.place.open.hidden = false;
    document.dispatchEvent(new CustomEvent("kqi:changed"));
    return id;
  }

  pause() {
    this.sender.pause();
  }

  resume() {
    this.sender.resume();
  }

  async give() {
    this.sender?.stop();
    await call("DELETE", api(`uploads/${this.upload.key}`)).catch(() => {});
    this.element.remove();
    document.dispatchEvent(new CustomEvent("kqi:changed"));
  }

  close() {
    this.element.remove();
  }

  show(state, problem = null) {
    const { place } = this;
    const mark = document.querySelector("#data-upload-marks").content.querySelector(`[data-mark="${state === "asking" || state === "sent" ? "sending" : state}"] > *`);
    if (mark) place.mark.replaceChildren(mark.cloneNode(true));
    this.element.dataset.state = state;
    place.problem.hidden = !problem;
    if (problem) place.problem.querySelector("p").textContent = problem.message;
    const isLive = ["asking", "sending", "waiting"].includes(state);
    for (const [does, isOffered] of Object.entries({
      pause: isLive,
      resume: ["paused", "full"].includes(state),
      give: isLive || ["paused", "full", "failed"].includes(state),
      close: ["done", "failed"].includes(state),
    })) {
      this.element.querySelector(`[data-does=${does}]`).hidden = !isOffered;
    }
    this.element.classList.toggle("is-bad", MARKS[state] === "bad");
    if (state === "sending") this.meter.reset();
    place.heard.textContent = place.mark.textContent;
    this.draw();
  }

  move() {
    this.meter.note(this.sender.bytes);
    if (Date.now() - this.drawn > DRAWN_EVERY_MS) this.draw();
  }

  draw() {
    this.drawn = Date.now();
    const { sender, place } = this;
    if (!sender) return;
    const bar = this.element.querySelector("progress");
    const share = sender.total ? sender.bytes / sender.total : Number(sender.state === "sent");
    bar.value = share;
    place.count.textContent = fill(words.count, {
      done: number(sender.done.size),
      all: number(sender.files.length),
    });
    place.bytes.textContent = fill(words.bytes, { done: size(sender.bytes), all: size(sender.total) });
    const { rate } = this.meter;
    const isMoving = rate !== null && sender.state === "sending";
    place.rate.textContent = isMoving ? `${size(rate)}/s` : "";
    const left = this.meter.left(sender.total);
    place.left.textContent = isMoving ? fill(words.left, { time: span(left) }) : this.afterwards;
    if (share >= this.heard + HEARD_EVERY) {
      this.heard = share;
      place.heard.textContent = `${Math.floor(share * 100)} %`;
    }
  }
}

function said(error) {
  if (error instanceof Unreadable) {
    return new Error(fill(words.unreadable, { path: error.message }));
  }
  return error;
}
