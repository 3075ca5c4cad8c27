// What both pages ask the agent, and what they show until it answers.
import { Agent, Refused, Starting, wait } from "../agent.js";
import { fill, number, size, words } from "./words.js";

const SLOW_MS = 4_000;
const FIRST_MS = 700;
const LONGEST_MS = 15_000;
// Agents that do not come within this long are said to be away.
const PATIENCE_MS = 25_000;
const loading = document.getElementById("env-loading");
const line = document.getElementById("env-line");
const failed = document.getElementById("env-failed");

export const agent = new Agent(words.agent, words);

function say(text) {
  if (line.textContent !== text) line.textContent = text;
}

// Ask until there is an answer, and say meanwhile what is the matter.
export async function first(path) {
  const began = Date.now();
  let pause = FIRST_MS;
  const slow = setTimeout(() => say(words.slow), SLOW_MS);
  try {
    for (;;) {
      try {
        const found = await agent.json(path);
        loading.hidden = true;
        failed.hidden = true;
        return found;
      } catch (error) {
        say(error.message);
        const isAway = !(error instanceof Starting) || Date.now() - began > PATIENCE_MS;
        if (isAway) showFailure(error);
        await Promise.race([wait(pause), again()]);
        pause = Math.min(LONGEST_MS, error instanceof Starting ? pause : pause * 2);
      }
    }
  } finally {
    clearTimeout(slow);
  }
}

function showFailure(error) {
  loading.hidden = true;
  failed.hidden = false;
  failed.querySelector("[data-slot=message]").textContent = error.message;
}

function again() {
  const button = failed.querySelector("[data-does=again]");
  return new Promise((done) => button.addEventListener("click", done, { once: true }));
}

// Order something; the answer is the task. One under way already is the answer too.
export async function order(wanted, isJob) {
  const where = isJob ? { queue: words.queue, tenant: words.tenant } : {};
  try {
    const body = { ...where, ...wanted };
    const task = await agent.json("api/environments/tasks", { method: "POST", body });
    return { task: task.id, said: fill(words.begun, { name: wanted.name }) };
  } catch (error) {
    if (error instanceof Refused && error.code === "busy" && error.said.task) {
      return { task: error.said.task, said: fill(words.busy, { name: wanted.name }) };
    }
    throw error;
  }
}

export function roomText(room) {
  const known = typeof room?.free_files === "number";
  return fill(known ? words.room : words.roomBytes, {
    bytes: size(room?.free_bytes ?? 0),
    files: number(room?.free_files ?? 0),
  });
}
