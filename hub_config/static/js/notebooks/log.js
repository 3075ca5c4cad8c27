// A job's log as it grows, read through the person's own agent: never by the portal.
import { events, wait } from "../agent.js";
import { call } from "../api.js";
import { append } from "../log_view.js";
import { saveLog } from "../save_log.js";

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
// Not there yet, not reached yet, and what JupyterHub says of a server that starts.
const UNDER_WAY = new Set([424, 502, 503, 504]);
let job = "";
let reading = new AbortController();

// What is shown, and the words for it, stand in a part of the page that is renewed.
function about() {
  return document.querySelector("[data-log]")?.dataset ?? {};
}

function code() {
  return document.querySelector(".log code");
}

function note(text) {
  const place = document.getElementById("log-state");
  if (place && place.textContent !== text) place.textContent = text;
}

function show(text) {
  append(code(), text, document.getElementById("log-follows")?.checked ?? true);
}

// The agent is started when it does not run, and gives a token that opens it alone.
async function ask(path, signal) {
  const agent = await call("POST", about().agent, {});
  const site = new URL(document.documentElement.dataset.base, location.origin);
  const address = new URL(path, new URL(agent.url.replace(/\/*$/, "/"), site));
  const answer = await fetch(address, {
    headers: { Authorization: `Bearer ${agent.token}` },
    cache: "no-store",
    signal,
  });
  if (answer.ok || answer.status === 404) return answer;
  // What is not read to its end keeps a connection, and a browser has but six.
  await answer.body?.cancel();
  // While the agent starts, the hub answers in its place.
  if (UNDER_WAY.has(answer.status)) throw new Starting(about().starting);
  throw new Error(about().broken);
}

class Starting extends Error {}

const told = {
  log(place, data) {
    show(data.text);
    place.from = data.to;
    note(about().live);
  },
  waiting() {
    note(about().none);
  },
  restarted(place) {
    code().textContent = "";
    place.from = 0;
  },
  skipped() {
    show(`\n${about().skipped}\n`);
  },
  failed(place, data) {
    throw new Error(data.message);
  },
};

async function follow(place, signal) {
  const from = place.from === null ? "" : `&from=${place.from}`;
  const answer = await ask(`api/log/follow?job=${place.job}${from}`, signal);
  if (!answer.ok) return nothing(answer);
  for await (const { name, data } of events(answer.body)) told[name]?.(place, data);
}

// A session that has ended writes no more: its last piece is read once.
async function readOnce(place, signal) {
  const answer = await ask(`api/log?job=${place.job}`, signal);
  if (!answer.ok) {
    await nothing(answer);
    return;
  }
  const piece = await answer.json();
  if (piece.from > 0) show(`${about().skipped}\n`);
  show(piece.text);
  note(about().ended);
}

async function nothing(answer) {
  await answer.body?.cancel();
  note(about().none);
}

async function read(place, signal) {
  let pause = FIRST_MS;
  while (!signal.aborted) {
    try {
      if (about().ended) {
        code().textContent = "";
        await readOnce(place, signal);
        return;
      }
      await follow(place, signal);
      pause = FIRST_MS;
    } catch (error) {
      if (signal.aborted) return;
      note(error.message || about().broken);
      pause = error instanceof Starting ? FIRST_MS : Math.min(LONGEST_MS, pause * 2);
    }
    await wait(pause, signal);
  }
}

function look() {
  const wanted = `${about().log ?? ""}${about().ended ? " over" : ""}`;
  if (wanted === job) return;
  const isOther = wanted.split(" ")[0] !== job.split(" ")[0];
  job = wanted;
  reading.abort();
  reading = new AbortController();
  if (!about().log || !code()) return;
  if (isOther) code().textContent = "";
  note(about().reading);
  read({ job: about().log, from: null }, reading.signal);
}

document.addEventListener("kqi:renewed", look);
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-save-log]");
  if (button) saveLog(about().log, button.dataset.saveLog);
});
addEventListener("pagehide", () => reading.abort());
look();
