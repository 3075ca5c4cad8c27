// Files and folders that are chosen, or dropped anywhere on the page.
import { complain } from "../messages.js";
import { current } from "./folder.js";
import { entriesOf, fromEntries, fromInput } from "./gathering.js";
import { nameOf } from "./place.js";
import { here } from "./state.js";
import { gather, uploads } from "./upload_panel.js";
import { fill, words } from "./words.js";

const zone = document.getElementById("files-drop");
let inside = 0;

function mayDrop(event) {
  return event.dataTransfer?.types.includes("Files") && current()?.may_change;
}

function show(isOver) {
  zone.hidden = !isOver;
  zone.querySelector("span").textContent = fill(words.drop, { folder: nameOf(here().path) || words.top });
}

addEventListener("dragenter", (event) => {
  if (!mayDrop(event)) return;
  inside += 1;
  show(true);
});

addEventListener("dragleave", (event) => {
  if (!mayDrop(event)) return;
  inside = Math.max(0, inside - 1);
  if (inside === 0) show(false);
});

addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  // What is let go elsewhere would be opened in place of the page.
  event.preventDefault();
  event.dataTransfer.dropEffect = mayDrop(event) ? "copy" : "none";
});

addEventListener("drop", async (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  const isAllowed = mayDrop(event);
  inside = 0;
  show(false);
  if (!isAllowed) return;
  const place = here();
  const entries = entriesOf(event.dataTransfer);
  try {
    uploads.add(place, await fromEntries(entries, gather));
  } catch (error) {
    complain(error.message);
  }
});

for (const id of ["files-choose", "files-choose-folder"]) {
  const input = document.getElementById(id);
  input.addEventListener("change", () => {
    if (input.files.length) uploads.add(here(), fromInput(input.files));
    // The same may be chosen again.
    input.value = "";
  });
}
