// A task under way: its state and log as they come, why it waits, and its cancelling.
import { call } from "../api.js";
import { Refused, events, wait } from "../agent.js";
import { append } from "../log_view.js";
import { complain } from "../messages.js";
import { agent } from "./source.js";
import { copyOf, fill, mark, moment, momentText, number, size, slots, span, words } from "./words.js";

const ENDED = new Set(["done", "failed", "refused", "cancelled"]);
const LOOK_MS = 5_000;
const LONGEST_MS = 15_000;
// A picture of Slurm that is so much younger than the order would show its job.
const SEEN_S = 15;

export function isEnded(task) {
  return ENDED.has(task.state);
}

export function titleOf(task) {
  return fill(words[camel(task.operation)] ?? "{name}", { name: task.name });
}

// What it does now, in the page's language where that is known.
function phaseOf(task) {
  return words[camel(`phase-${task.phase}`)] ?? task.text ?? "";
}

function camel(text) {
  return text.replace(/-([a-z])/g, (all, letter) => letter.toUpperCase());
}

export class TaskPanel {
  // `over` is called once when it has ended while it was looked at.
  constructor(id, over, closed) {
    this.id = id;
    this.over = over;
    this.element = copyOf("env-task");
    this.slots = slots(this.element);
    this.code = this.element.querySelector("code");
    this.control = new AbortController();
    this.task = null;
    this.from = 0;
    this.missing = 0;
    this.element.querySelector("[data-does=cancel]").addEventListener("click", (event) => {
      this.cancel(event.currentTarget);
    });
    this.element.querySelector("[data-does=close]").addEventListener("click", () => {
      this.stop();
      closed(this);
    });
    this.follow();
    this.tick();
    this.lookAtQueue();
  }

  stop() {
    this.control.abort();
    this.element.remove();
  }

  async follow() {
    const { signal } = this.control;
    let pause = 1_000;
    while (!signal.aborted) {
      try {
        const path = `api/environments/tasks/${this.id}/log/follow?from=${this.from}`;
        const answer = await agent.fetch(path, { signal, accept: "text/event-stream" });
        this.line("");
        for await (const { name, data } of events(answer.body)) {
          this.take(name, data);
          pause = 1_000;
        }
        if (this.task && isEnded(this.task)) return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refused && error.status === 404) {
          this.line(error.message);
          return;
        }
        this.line(words.lost);
        pause = Math.min(LONGEST_MS, pause * 2);
      }
      await wait(pause, signal);
    }
  }

  take(name, data) {
    if (name === "log") {
      this.from = data.to;
      const { checked } = this.element.querySelector("[data-follows]");
      append(this.code, data.text, checked);
    } else if (name === "restarted") {
      this.code.textContent = "";
      this.from = 0;
    } else if (name === "state") {
      this.show(data);
    } else if (name === "failed") {
      throw new Error(data.message);
    }
  }

  line(text) {
    this.slots.line.hidden = !text;
    if (this.slots.line.textContent !== text) this.slots.line.textContent = text;
  }

  show(task) {
    const before = this.task;
    this.task = task;
    const title = titleOf(task);
    this.slots.title.textContent = title;
    this.slots["log-name"].textContent = title;
    this.element.querySelector("pre").setAttribute("aria-label", title);
    this.slots.mark.replaceChildren(mark(task.state));
    this.showProgress(task);
    this.showEnd(task);
    this.showTime(task);
    const heard = `${title}: ${this.slots.mark.textContent}. ${phaseOf(task)}`;
    const isNews = before?.state !== task.state || before?.phase !== task.phase;
    if (isNews) this.slots.heard.textContent = heard;
    if (isEnded(task) && before && !isEnded(before)) this.over(task);
  }

  showProgress(task) {
    const bar = this.element.querySelector("progress");
    const hasSteps = task.total > 0;
    this.slots.bar.hidden = isEnded(task) || task.state !== "running";
    bar.setAttribute("aria-label", phaseOf(task) || titleOf(task));
    if (hasSteps) {
      bar.max = task.total;
      bar.value = Math.min(task.done ?? 0, task.total);
    } else {
      bar.removeAttribute("value");
    }
    const steps = hasSteps
      ? fill(words.pieces, { done: number(task.done ?? 0), total: number(task.total) })
      : "";
    const bytes = task.bytes > 0 ? size(task.bytes) : "";
    this.slots.phase.textContent = phaseOf(task);
    this.slots.figures.textContent = [steps, bytes].filter(Boolean).join(" · ");
    const job = task.job_id ? `#${task.job_id}` : "";
    this.slots.where.textContent = [task.queue, task.host, job].filter(Boolean).join(" · ");
  }

  showEnd(task) {
    const has = isEnded(task);
    this.element.querySelector("[data-does=cancel]").hidden = has;
    this.element.querySelector("[data-does=close]").hidden = !has;
    this.slots.why.hidden = has || this.slots.why.hidden;
    this.slots.error.hidden = !task.error;
    if (task.error) tell(this.slots.error, [task.error.message, task.error.hint]);
    this.slots.result.hidden = task.state !== "done" || !task.text;
    if (!this.slots.result.hidden) tell(this.slots.result, [task.text]);
  }

  // How long it has taken, counted here.
  async tick() {
    const { signal } = this.control;
    while (!signal.aborted && !(this.task && isEnded(this.task))) {
      if (this.task) this.showTime(this.task);
      await wait(1_000, signal);
    }
  }

  showTime(task) {
    const began = task.began_at ?? task.asked_at;
    const end = isEnded(task) ? task.ended_at : Date.now() / 1000;
    const took = began && end ? span(end - began) : "";
    const when = isEnded(task) && task.ended_at ? [" · ", moment(task.ended_at)] : [];
    const dot = this.slots.where.textContent && took ? "· " : "";
    this.slots.time.replaceChildren(dot, took, ...when);
  }

  // Why its job waits is the portal's to say: it looks at Slurm for everybody.
  async lookAtQueue() {
    const { signal } = this.control;
    while (!signal.aborted) {
      const { task } = this;
      if (task && isEnded(task)) return;
      if (task?.job_id && ["waiting", "running"].includes(task.state)) {
        await this.lookOnce(task).catch(() => {});
      }
      await wait(LOOK_MS, signal);
    }
  }

  async lookOnce(task) {
    const { jobs, picture } = await call("GET", `${words.jobs}?job_id=${task.job_id}`);
    const [job] = jobs;
    this.slots.why.hidden = !job?.text || task.state !== "waiting";
    if (job?.text) {
      const expected = job.starts_at
        ? fill(words.expected, { time: momentText(job.starts_at) })
        : "";
      tell(this.slots.why, [null, job.text, [job.hint, expected].filter(Boolean).join(" ")]);
    }
    const isYounger = picture.taken_at > task.asked_at + SEEN_S;
    this.missing = !job && isYounger ? this.missing + 1 : 0;
    // Slurm does not show it any more, and it has not said how it ended: ask once.
    if (this.missing >= 2) {
      this.missing = -5;
      await agent.json(`api/environments/tasks/${this.id}/check`, { method: "POST" });
    }
  }

  async cancel(button) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const path = `api/environments/tasks/${this.id}/cancel`;
      this.show(await agent.json(path, { method: "POST" }));
    } catch (error) {
      complain(error.message);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
}

// Put texts into the paragraphs of a notice; null leaves one as it is.
function tell(place, texts) {
  const lines = place.querySelectorAll("p");
  texts.forEach((text, index) => {
    if (text !== null && lines[index] && lines[index].textContent !== text) {
      lines[index].textContent = text;
    }
  });
}
