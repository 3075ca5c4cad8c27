// Downloads go from the agent to the disk by the browser itself: nothing is kept in the
// page. A frame of their own keeps them from ending what the page is doing.
import { complain } from "../messages.js";
import { about, agent, ask } from "./source.js";
import { join, query } from "./place.js";
import { words } from "./words.js";

const KEPT_MS = 300_000;

export async function contentAddress(place, name) {
  const asked = about(place, name ? { save_as: name } : {});
  return (await agent.address(`api/files/content?${asked}`)).url.href;
}

export async function archiveAddress(place, format) {
  return (await agent.address(`api/files/archive?${query({ root: place.root, path: place.path, format })}`)).url.href;
}

// What is refused is said here; the frame would swallow it.
export async function fetchTo(place, address) {
  try {
    await ask("stat", place);
    await letIn();
    frameOf().src = await address;
  } catch (error) {
    complain(error.message);
  }
}

// Several as one: named in a form, for an address can be too short for them.
export async function fetchSelected(place, names, format) {
  try {
    await letIn();
    const frame = frameOf();
    frame.name = `files-${Date.now()}`;
    const form = document.createElement("form");
    form.method = "post";
    form.target = frame.name;
    form.action = (await agent.address("api/files/archive")).url.href;
    form.hidden = true;
    const paths = names.map((name) => ["path", join(place.path, name)]);
    for (const [name, value] of [["root", place.root], ["format", format], ...paths]) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(form);
    form.submit();
    form.remove();
  } catch (error) {
    complain(error.message);
  }
}

// Frames and forms bring a cookie, no token: the hub's login gives one on the way.
async function letIn() {
  await agent.json("api/health");
  const { url } = await agent.address("api/health");
  const answer = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store" });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(words.broken);
}

function frameOf() {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = words.download;
  document.body.append(frame);
  setTimeout(() => frame.remove(), KEPT_MS);
  return frame;
}
