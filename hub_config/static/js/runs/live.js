// What the live parts of a run's page share: the agent, their words, their state line.
import { Agent, Refused, Starting } from "../agent.js";

let agent = null;

// One agent a page: its token opens all of them.
export function agentOf(part) {
  const { agent: portal, starting, broken } = part.dataset;
  agent ??= new Agent(portal, { starting, broken });
  return agent;
}

export function runPath(part) {
  const { kind, run } = part.dataset;
  return `api/runs/${kind}/${run}`;
}

export function note(part, text) {
  const line = part.querySelector("[data-note]");
  if (line && line.textContent !== text) line.textContent = text;
}

// Ask until the agent has started; other errors are told and thrown.
export async function insist(part, ask, { signal, tries = 30 } = {}) {
  for (let left = tries; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      if (!signal?.aborted) note(part, error.message);
      if (!(error instanceof Starting) || left <= 1 || signal?.aborted) throw error;
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}

export { Refused };

// Each part is looked after once, also after the page has been renewed.
export function parts(name, begin) {
  const known = new WeakSet();
  const look = () => {
    for (const part of document.querySelectorAll(`[data-run-${name}]`)) {
      if (!known.has(part)) begin(part);
      known.add(part);
    }
  };
  document.addEventListener("kqi:renewed", look);
  look();
}
