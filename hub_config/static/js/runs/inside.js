// How far the work inside a job is, as its runner notes it in the run's folder.
import { fill, number, span } from "../figures.js";
import { agentOf, insist, parts, runPath } from "./live.js";

const EVERY_MS = 3_000;
const ORDER = ["fetching", "staging", "cloning", "running", "saving"];

function line(term, text) {
  const pair = document.createElement("div");
  pair.append(
    Object.assign(document.createElement("dt"), { textContent: term }),
    Object.assign(document.createElement("dd"), { textContent: text }),
  );
  return pair;
}

// How long each phase took; the one that is under way, until now.
function durations(phases, now) {
  const known = [...ORDER, "ended"].filter((name) => name in phases);
  return known
    .filter((name) => name !== "ended")
    .map((name, at) => [name, (phases[known[at + 1]] ?? now) - phases[name]]);
}

function show(part, { state, result }) {
  const told = result ?? state;
  if (!told) return;
  const words = part.dataset;
  const times = durations(told.phases ?? {}, Date.now() / 1000);
  part.querySelector("[data-times]").replaceChildren(
    ...times.map(([name, seconds]) => line(words[name], span(seconds))),
  );
  const { progress } = result ? {} : (state ?? {});
  part.querySelector("[data-progress-line]").textContent = progress
    ? fill(words.progress, { done: number(progress.done), of: number(progress.of), unit: progress.unit })
    : "";
  part.querySelector("[data-notes]").replaceChildren(
    ...[result?.why, ...(told.notes ?? [])].filter(Boolean).map((text) =>
      Object.assign(document.createElement("li"), { textContent: text })),
  );
  part.hidden = !times.length;
}

async function follow(part) {
  const agent = agentOf(part);
  for (;;) {
    const isWanted = part.isConnected && document.visibilityState === "visible";
    if (isWanted) {
      const found = await insist(part, () => agent.json(`${runPath(part)}/state`));
      show(part, found);
      if (found.result || !part.dataset.live) return;
    }
    if (!part.isConnected) return;
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}

// What cannot be read is not shown: the page says the rest all the same.
parts("inside", (part) => follow(part).catch(() => {}));
