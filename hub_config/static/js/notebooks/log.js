// A job's log as it grows, read through the person's own agent: never by the portal.
import { call } from "../api.js";

const SHOWN_CHARACTERS = 200_000;
const AGAIN_MS = 4_000;
const base = document.documentElement.dataset.base;
let current = "";
let stop = new AbortController();

function box() {
  return document.querySelector("[data-log]");
}

function code() {
  return document.querySelector(".log code");
}

function note(text) {
  const place = document.getElementById("log-state");
  if (place && place.textContent !== text) place.textContent = text;
}

function words() {
  return box()?.dataset ?? {};
}

async function agent() {
  const api = words().agent;
  const found = await call("POST", api, {});
  return { url: new URL(found.url, location.origin), token: found.token };
}

async function ask({ url, token }, path, signal) {
  const headers = { Authorization: `Bearer ${token}` };
  const target = new URL(path, url.href.endsWith("/") ? url : `${url}/`);
  return fetch(target, { headers, signal });
}

function show(text) {
  const pre = code().parentElement;
  const follows = document.getElementById("log-follows")?.checked ?? true;
  const whole = code().textContent + text;
  code().textContent = whole.slice(-SHOWN_CHARACTERS);
  if (follows) pre.scrollTop = pre.scrollHeight;
}

function wait(ms, signal) {
  return new Promise((done, left) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      left(signal.reason);
    });
  });
}

// One event of the stream is lines of "event: name" and "data: JSON".
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    kept += value;
    const whole = kept.split("\n\n");
    kept = whole.pop();
    for (const event of whole) yield parsed(event);
  }
}

function parsed(event) {
  const lines = event.split("\n");
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
  const name = lines.find((line) => line.startsWith("event:"));
  return { name: name?.slice(6).trim() ?? "message", data: data.length ? JSON.parse(data.join("\n")) : null };
}

async function follow(job, signal) {
  code().textContent = "";
  let from = 0;
  for (;;) {
    try {
      from = await stream(job, from, signal);
      if (box()?.dataset.ended) return;
    } catch (error) {
      if (signal.aborted) return;
      note(error.message || words().broken);
    }
    await wait(AGAIN_MS, signal).catch(() => {});
    if (signal.aborted) return;
  }
}

async function stream(job, start, signal) {
  const mine = await agent();
  const answer = await ask(mine, `api/log/follow?job=${job}&from=${start}`, signal);
  if (answer.status === 404) {
    note(words().none);
    return start;
  }
  if (!answer.ok) throw new Error(words().broken);
  note(words().live);
  let from = start;
  for await (const { data } of events(answer.body)) {
    if (data?.text) show(data.text);
    if (typeof data?.next === "number") from = data.next;
  }
  note(words().ended || words().broken);
  return from;
}

function look() {
  const job = box()?.dataset.log ?? "";
  if (job === current) return;
  current = job;
  stop.abort();
  stop = new AbortController();
  if (job) follow(job, stop.signal);
}

document.addEventListener("kqi:renewed", look);
addEventListener("pagehide", () => stop.abort());
if (base) look();
