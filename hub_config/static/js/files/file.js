// One file: what it is, and its content in the way that suits it.
import { Refused } from "../agent.js";
import { contentAddress, fetchTo } from "./download.js";
import { Editor } from "./edit.js";
import { drawImage } from "./view_image.js";
import { drawNotebook } from "./view_notebook.js";
import { drawTable } from "./view_table.js";
import { TextView } from "./view_text.js";
import { nameOf } from "./place.js";
import { ask } from "./source.js";
import { fill, moment, size, slots, words } from "./words.js";

const section = document.getElementById("files-file");
const at = slots(section);
const EDITABLE_BYTES = 1024 * 1024;
const RICH = new Set(["table", "notebook"]);
let control = new AbortController();
let shown = null;
let view = null;
let editor = null;

export function isUnsaved() {
  return editor?.isChanged ?? false;
}

export function closeFile() {
  control.abort();
  view?.stop();
  view = editor = shown = null;
  section.hidden = true;
  at.content.replaceChildren();
}

export function shownFile() {
  return shown;
}

export async function showFile(place, file) {
  const isSame = shown?.file.version === file.version && shown.place.path === place.path;
  if (isSame && !section.hidden) return;
  // What is being written is never thrown away by news from elsewhere.
  if (editor && shown?.place.path === place.path) return;
  closeFile();
  control = new AbortController();
  shown = { place, file, kind: "" };
  section.hidden = false;
  const name = nameOf(place.path);
  section.setAttribute("aria-label", name);
  at.name.textContent = name;
  showFacts(file);
  at.download.hidden = file.kind !== "file";
  offerEdit(false);
  at.ways.hidden = true;
  at.name.focus({ preventScroll: true });
  if (file.kind !== "file") return note(words.special);
  at.download.href = await contentAddress(place);
  await look("auto");
}

function showFacts(file) {
  const [before, after] = fill(words.changed, { time: "\0" }).split("\0");
  at.facts.replaceChildren(`${size(file.size)} · ${before}`, moment(file.changed_at), after ?? "");
}

// Ask for the content in a way, and draw what the agent says it is.
export async function look(way) {
  const { signal } = control;
  const { place, file } = shown;
  view?.stop();
  view = editor = null;
  note("");
  at.content.setAttribute("aria-busy", "true");
  try {
    const isLog = /\.(log|out|err)$/i.test(place.path);
    const more = isLog ? { as: way, from: -65_536 } : { as: way };
    const found = await ask("view", place, more, { signal });
    if (signal.aborted) return;
    shown.kind = found.kind;
    showWays(found.kind, way);
    await draw(place, found, signal);
    offerEdit(isEditable(found, file));
  } catch (error) {
    if (signal.aborted) return;
    at.content.replaceChildren();
    note(error.message);
    // What is no table or notebook after all may still be read.
    if (error instanceof Refused && way === "auto") showWays("notebook", way);
  } finally {
    at.content.removeAttribute("aria-busy");
  }
}

const DRAWN = {
  image: (place, found, signal) => drawImage(place, found, signal),
  table: (place, found) => drawTable(place, found),
  notebook: (place, found) => drawNotebook(found),
};

async function draw(place, found, signal) {
  if (found.kind === "binary") {
    at.content.replaceChildren();
    note(words.binary);
  } else if (Object.hasOwn(DRAWN, found.kind)) {
    const drawn = await DRAWN[found.kind](place, found, signal);
    if (signal.aborted) return;
    if (typeof drawn === "string") note(drawn);
    else at.content.replaceChildren(drawn);
  } else {
    view = new TextView(place, found);
    at.content.replaceChildren(view.element);
    view.begin();
  }
}

function note(text) {
  at.note.hidden = !text;
  at.note.textContent = text;
}

function showWays(kind, way) {
  const isRich = RICH.has(kind);
  if (isRich) at.ways.querySelector("[data-way=rich]").textContent = words[kind];
  at.ways.hidden = !isRich && way === "auto";
  for (const button of at.ways.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String((button.dataset.way === "text") === (way === "text")));
  }
}

// --- Editing ---

function offerEdit(isOffered) {
  section.querySelector("[data-does=edit]").hidden = !isOffered;
}

function isEditable(found, file) {
  const isText = ["text", "table", "notebook"].includes(found.kind);
  return isText && file.may_change && file.size <= EDITABLE_BYTES && !found.damaged;
}

export async function edit() {
  const { place } = shown;
  const { signal } = control;
  try {
    editor = await Editor.open(place, signal, closeEditor);
    if (signal.aborted) return;
    view?.stop();
    at.ways.hidden = true;
    offerEdit(false);
    at.content.replaceChildren(editor.element);
    editor.focus();
  } catch (error) {
    if (!signal.aborted) note(error.message);
  }
}

// Show the file as it is now.
async function closeEditor() {
  const { place } = shown;
  editor = null;
  const file = await ask("stat", place);
  shown = null;
  await showFile(place, file);
}

at.download.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  fetchTo(shown.place, contentAddress(shown.place));
});

section.addEventListener("click", (event) => {
  const does = event.target.closest("[data-does]")?.dataset.does;
  if (does === "edit") edit();
  if (does === "view") look(event.target.closest("[data-way]").dataset.way === "text" ? "text" : "auto");
});
