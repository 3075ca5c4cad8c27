// What a cancelled upload has left beside its places: hidden, and wanted by nobody.
import { wait } from "../agent.js";
import { complain } from "../messages.js";
import { join, nameOf, parentOf } from "./place.js";
import { ask, order } from "./source.js";

// The agent hears a moment later that the connection is gone.
const SETTLES_MS = 300;
const PART = /^\.[0-9a-f]{16}\.kqi-part$/;

export async function dropParts(items) {
  await wait(SETTLES_MS);
  try {
    for (const item of items) await drop(item);
  } catch (error) {
    complain(error.message);
  }
}

// Two of the same name may be two uploads: then it is not known which was cancelled.
async function drop({ place, path }) {
  const folder = { root: place.root, path: parentOf(path) };
  const beginning = `.${nameOf(path)}`;
  const found = await ask("list", folder, { filter: `${beginning}.`, limit: 50 }).catch(() => null);
  const parts = (found?.entries ?? [])
    .map(({ name }) => name)
    .filter((name) => name.startsWith(beginning) && PART.test(name.slice(beginning.length)));
  if (parts.length !== 1) return;
  await order("delete", { root: folder.root, paths: [join(folder.path, parts[0])] });
}
