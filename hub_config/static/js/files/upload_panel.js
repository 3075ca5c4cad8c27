// What is being uploaded: how far, how quick, what it asks, and what went wrong.
import { Pace } from "./pace.js";
import { nameOf } from "./place.js";
import { Uploads } from "./sending.js";
import { changed } from "./state.js";
import { fill, number, size, slots, span, words } from "./words.js";

const DRAW_MS = 250;
const NEWS_MS = 3_000;
const HEARD_MS = 15_000;
const MOST_FAILED = 200;
const panel = document.getElementById("files-upload");
const at = slots(panel);
const bar = panel.querySelector("progress");
const pace = new Pace();
let drawing = 0;
let newsAt = 0;
let heardAt = 0;
let arrived = 0;
export const uploads = new Uploads();

// While a folder that was dropped is gone through.
export function gather(count) {
  panel.hidden = false;
  at.progress.textContent = fill(words.gathering, { count: number(count) });
}

uploads.addEventListener("begun", ({ detail: place }) => {
  panel.hidden = false;
  at.title.textContent = fill(words.uploadingTo, { folder: nameOf(place.path) || words.top });
  at.title.focus();
  draw();
});

uploads.addEventListener("progress", () => {
  if (!drawing) {
    drawing = setTimeout(() => {
      drawing = 0;
      draw();
    }, DRAW_MS);
  }
  news();
});

uploads.addEventListener("state", () => {
  if (uploads.state !== "going") pace.forget();
  draw();
  hear();
  if (["done", "failed", "asking", "cancelled"].includes(uploads.state)) changed();
});

// The list shows what has arrived, while more is coming.
function news() {
  if (uploads.doneFiles === arrived || Date.now() - newsAt < NEWS_MS) return;
  arrived = uploads.doneFiles;
  newsAt = Date.now();
  changed();
}

function draw() {
  const { state, items, doneFiles, skipped, allBytes, sentBytes } = uploads;
  const total = items.length - skipped;
  const isOver = ["done", "failed", "cancelled"].includes(state);
  for (const mark of at.mark.children) mark.hidden = mark.dataset.mark !== state;
  show("pause", state === "going" || state === "broken");
  show("resume", state === "paused");
  show("cancel-upload", !isOver);
  show("close-upload", isOver);
  bar.value = allBytes > 0 ? Math.min(1, sentBytes / allBytes) : Number(isOver);
  at.progress.textContent = isOver ? summary() : fill(words.progress, {
    done: number(doneFiles),
    total: number(total),
    bytes: size(sentBytes),
    all: size(allBytes),
  });
  at.rate.textContent = state === "going" ? rateText(total - doneFiles) : "";
  at.current.textContent = currentText();
  drawClash();
  drawFailed();
  if (Date.now() - heardAt > HEARD_MS) hear();
}

function show(does, isOn) {
  panel.querySelector(`[data-does=${does}]`).hidden = !isOn;
}

function rateText(leftFiles) {
  pace.note(uploads.sentBytes, uploads.doneFiles);
  const found = pace.of(uploads.allBytes - uploads.sentBytes, leftFiles);
  if (!found) return "";
  return fill(found.left === null ? words.rateOnly : words.rate, {
    rate: size(Math.max(0, found.bytes)),
    left: span(found.left ?? 0),
  });
}

function currentText() {
  if (uploads.problem) return uploads.problem;
  if (uploads.state === "paused") return words.paused;
  return [...uploads.current.keys()].map((item) => item.path).slice(0, 4).join(" · ");
}

function summary() {
  const { doneFiles, doneBytes, skipped } = uploads;
  const parts = [fill(words.done, { count: number(doneFiles), bytes: size(doneBytes) })];
  if (skipped) parts.push(fill(words.skipped, { count: number(skipped) }));
  return parts.join(" ");
}

function drawClash() {
  const { clashing } = uploads;
  at.clash.hidden = clashing.length === 0;
  if (clashing.length === 0) return;
  at.clash.querySelectorAll("p")[1].textContent = fill(words.clashes, {
    count: number(clashing.length),
    name: nameOf(clashing[0].path),
  });
}

function drawFailed() {
  const { failed } = uploads;
  at.failures.hidden = failed.length === 0;
  if (failed.length === 0) return;
  at["failed-count"].textContent = fill(words.failures, { count: number(failed.length) });
  const lines = failed.slice(0, MOST_FAILED).map(({ item, message }) => {
    const line = document.createElement("li");
    line.className = "anywhere";
    line.textContent = `${item.path}: ${message}`;
    return line;
  });
  at.failures.querySelector("ul").replaceChildren(...lines);
}

// Screen readers hear the states, and now and then how far it is.
function hear() {
  heardAt = Date.now();
  const mark = [...at.mark.children].find((one) => !one.hidden);
  at.heard.textContent = [mark?.textContent.trim(), at.progress.textContent, at.rate.textContent]
    .filter(Boolean).join(". ");
}

const DOES = {
  pause: () => {
    uploads.pause();
    panel.querySelector("[data-does=resume]").focus();
  },
  resume: () => {
    uploads.go();
    panel.querySelector("[data-does=pause]").focus();
  },
  "cancel-upload": () => {
    uploads.cancel();
    panel.querySelector("[data-does=close-upload]").focus();
  },
  "close-upload": () => {
    panel.hidden = true;
    uploads.forget();
    document.querySelector("main").focus();
  },
  clash: (button) => uploads.decide(button.dataset.choice),
  retry: () => uploads.retry(),
};

panel.addEventListener("click", (event) => {
  const button = event.target.closest("[data-does]");
  if (button && Object.hasOwn(DOES, button.dataset.does)) DOES[button.dataset.does](button);
});

addEventListener("beforeunload", (event) => {
  if (uploads.isLive) event.preventDefault();
});
