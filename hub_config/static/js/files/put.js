// Send one piece of one file. Only XMLHttpRequest tells how far a request has come.
import { Refused } from "../agent.js";
import { agent } from "./source.js";
import { query } from "./place.js";
import { words } from "./words.js";

// The connection or the agent went away: what has arrived stays, it is tried again.
export class Broken extends Error {}
// Somebody wanted a pause, or to stop.
export class Halted extends Error {}

// What passes by itself: an earlier attempt that is still open, a disk that hangs.
const PASSES = new Set(["hub-silent", "busy", "disk-hangs"]);

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
  if (PASSES.has(said?.error)) return failed(new Broken(said.message));
  // Whatever else answers is the hub, in the agent's place.
  return failed(said?.error ? new Refused(request.status, said) : broken());
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
