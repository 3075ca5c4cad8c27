// How much a folder takes: counted by the agent, shown while it counts.
import { count } from "./counting.js";
import { nameOf } from "./place.js";
import { rootOf } from "./state.js";
import { fill, number, size, slots, words } from "./words.js";

const dialog = document.getElementById("files-use");
const at = slots(dialog);
const MOST_SHOWN = 10;
let control = new AbortController();

export async function showUse(place) {
  control.abort();
  control = new AbortController();
  const { signal } = control;
  at.name.textContent = nameOf(place.path) || place.root;
  const room = rootOf(place);
  at.free.textContent = room
    ? fill(words.free, { bytes: size(room.free_bytes), files: number(room.free_files) })
    : "";
  show({ bytes: 0, on_disk: 0, files: 0, folders: 0, missed: 0 });
  at.largest.hidden = true;
  at.state.textContent = words.counting;
  dialog.showModal();
  try {
    const found = await count(place, show, signal);
    show(found);
    showLargest(found.entries);
    at.state.textContent = found.missed ? fill(words.notCounted, { count: number(found.missed) }) : "";
  } catch (error) {
    if (!signal.aborted) at.state.textContent = error.message;
  }
}

function show(found) {
  at.disk.textContent = size(found.on_disk);
  at.bytes.textContent = size(found.bytes);
  at.inodes.textContent = number(found.files + found.folders);
  at.files.textContent = number(found.files);
  at.folders.textContent = number(found.folders);
}

function showLargest(entries) {
  const lines = entries.slice(0, MOST_SHOWN).flatMap(({ name, bytes, files }) => {
    const term = document.createElement("dt");
    term.className = "anywhere";
    term.textContent = name;
    const about = document.createElement("dd");
    about.className = "number";
    about.textContent = fill(words.entryUse, { bytes: size(bytes), files: number(files) });
    return [term, about];
  });
  at.entries.replaceChildren(...lines);
  at.largest.hidden = lines.length === 0;
}

dialog.addEventListener("close", () => control.abort());
