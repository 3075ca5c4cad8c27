// Long work of the agent's: counting, which ends when nobody listens; and deleting,
// which goes on until it is cancelled.
import { events, wait } from "../agent.js";
import { join } from "./place.js";
import { about, agent, order } from "./source.js";

const LOOK_MS = 400;

// Count a folder; `tell` hears the figures that have been counted so far.
export async function count(place, tell, signal) {
  const answer = await agent.fetch(`api/files/use?${about(place)}`, {
    signal,
    accept: "text/event-stream",
  });
  for await (const { name, data } of events(answer.body)) {
    if (name === "done") return data;
    if (name === "failed") throw new Error(data.message);
    tell(data);
  }
  throw new Error(agent.words.broken);
}

// Delete; `tell` hears how many are gone. Aborting cancels it: what is gone is gone.
export async function remove(folder, names, tell, signal) {
  const paths = names.map((name) => join(folder.path, name));
  let work = await order("delete", { root: folder.root, paths });
  while (work.state === "waiting" || work.state === "running") {
    tell(work.done);
    if (signal.aborted) {
      work = await agent.json(`api/files/work/${work.id}/cancel`, { method: "POST" });
    } else {
      await wait(LOOK_MS, signal);
      if (!signal.aborted) work = await agent.json(`api/files/work/${work.id}`);
    }
  }
  tell(work.done);
  if (work.error) throw new Error(work.error.message);
  return { failed: work.misses, missed: work.missed };
}
