// What the page asks the agent, and what it says until there is an answer.
import { Agent, Refused, Starting, wait } from "../agent.js";
import { query } from "./place.js";
import { words } from "./words.js";

const SLOW_MS = 4_000;
const FIRST_MS = 700;
const LONGEST_MS = 15_000;
// Agents that do not come within this long are said to be away.
const PATIENCE_MS = 25_000;
export const agent = new Agent(words.agent, words);

export function about(place, more = {}) {
  return query({ root: place.root, path: place.path, ...more });
}

export function ask(route, place, more, options) {
  return agent.json(`api/files/${route}?${about(place, more)}`, options);
}

export function order(route, body, options) {
  return agent.json(`api/files/${route}`, { method: "POST", body, ...options });
}

// Ask until the agent answers. `told(text, isAway)` hears what is the matter meanwhile,
// and `again()` is a promise that cuts a pause short. A refusal is an answer.
export async function patiently(work, { told, again, signal }) {
  const began = Date.now();
  let pause = FIRST_MS;
  const slow = setTimeout(() => told(words.slow, false), SLOW_MS);
  try {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted || error instanceof Refused) throw error;
        const isStarting = error instanceof Starting;
        told(error.message, !isStarting || Date.now() - began > PATIENCE_MS);
        await Promise.race([wait(pause, signal), again()]);
        if (signal.aborted) throw error;
        pause = Math.min(LONGEST_MS, isStarting ? pause : pause * 2);
      }
    }
  } finally {
    clearTimeout(slow);
  }
}
