// Move things to another folder on scratch: typed, or chosen step by step.
import { Refused } from "../agent.js";
import { say } from "../messages.js";
import { clean, join, nameOf, parentOf } from "./place.js";
import { ask, order } from "./source.js";
import { changed } from "./state.js";
import { fill, number, sign, slots, some, words } from "./words.js";

const MOST_SHOWN = 500;
const TYPING_MS = 300;
const dialog = document.getElementById("files-moving");
const form = dialog.querySelector("form:not([method=dialog])");
const at = slots(dialog);
const field = document.getElementById("files-target");
const fault = document.getElementById("files-target-fault");
let things = [];
let root = "";
let control = new AbortController();
let typing = 0;
let over = () => {};

// `done` is called after everything was moved.
export function askTarget(folder, names, done) {
  root = folder.root;
  things = names.map((name) => join(folder.path, name));
  over = done;
  at.what.textContent = some(names);
  field.value = folder.path;
  refuse("");
  dialog.showModal();
  field.focus();
  offer();
}

function refuse(text) {
  fault.textContent = text;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

// The folders in the one that is named; a name that is not finished is no fault.
async function offer() {
  control.abort();
  control = new AbortController();
  const { signal } = control;
  const path = clean(field.value);
  try {
    const more = { kinds: "folder", limit: MOST_SHOWN, hidden: 0 };
    const page = await ask("list", { root, path }, more, { signal });
    const above = path ? [lineOf(parentOf(path), "..")] : [];
    at.folders.replaceChildren(...above, ...page.entries.map(({ name }) => lineOf(join(path, name), name)));
  } catch (error) {
    if (!signal.aborted && error instanceof Refused) at.folders.replaceChildren();
  }
}

function lineOf(path, label) {
  const line = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-quiet btn-sm anywhere";
  button.append(sign("folder"), label);
  button.addEventListener("click", () => {
    field.value = path;
    refuse("");
    field.focus();
    offer();
  });
  line.append(button);
  return line;
}

field.addEventListener("input", () => {
  refuse("");
  clearTimeout(typing);
  typing = setTimeout(offer, TYPING_MS);
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector(".btn-primary");
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const into = clean(field.value);
  try {
    const { moved, refused } = await order("move", { root, paths: things, into });
    if (moved.length) changed();
    if (refused.length === 0) {
      dialog.close();
      say(fill(words.moved, { folder: into || words.top, count: number(moved.length) }));
      over();
      return;
    }
    // What was refused is left to be moved elsewhere.
    things = refused.map(({ path }) => path);
    refuse(refused.slice(0, 3).map(({ path, message }) => `${nameOf(path)}: ${message}`).join(" "));
    at.what.textContent = some(things.map(nameOf));
    field.focus();
  } catch (error) {
    refuse(error.message);
    field.focus();
  } finally {
    button.removeAttribute("aria-busy");
  }
});

dialog.addEventListener("close", () => control.abort());
