// Send one piece of one file. Only XMLHttpRequest tells how far a request has come.
import { Refused, Starting } from "../agent.js";
import { agent } from "./source.js";
import { query } from "./place.js";
import { words } from "./words.js";

// The connection or the agent went away: what has arrived stays, it is tried again.
export class Broken extends Error {}
// Somebody wanted a pause, or to stop.
export class Halted extends Error {}

const GONE = new Set([0, 424, 502, 503, 504]);

export async function put(place, path, about, blob, { signal, progress }) {
  const values = { root: place.root, path, parents: 1, ...about };
  let way;
  try {
    way = await agent.address(`api/files/content?${query(values)}`);
  } catch (error) {
    throw new Broken(error.message);
  }
  if (signal.aborted) throw new Halted();
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal.addEventListener("abort", stop);
    request.open("PUT", way.url);
    request.setRequestHeader("Authorization", `Bearer ${way.token}`);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("abort", () => failed(new Halted()));
    request.addEventListener("error", () => failed(broken()));
    request.addEventListener("timeout", () => failed(broken()));
    request.addEventListener("load", () => settle(request, done, failed));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", stop));
    request.send(blob);
  });
}

function settle(request, done, failed) {
  const said = read(request);
  if (request.status >= 200 && request.status < 300 && said) return done(said);
  if (said?.error && said.error !== "hub-silent") return failed(new Refused(request.status, said));
  return failed(GONE.has(request.status) || !said ? broken() : new Starting(words.starting));
}

function read(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}

// Where the agent is, is asked anew: it may have ended, and be started by that.
function broken() {
  agent.way = null;
  return new Broken(words.lost);
}
