// Ask for one name: of a new folder, or a newer one. The dialog stays open until the
// agent has taken it.
import { slots, words } from "./words.js";

const dialog = document.getElementById("files-naming");
const form = dialog.querySelector("form:not([method=dialog])");
const at = slots(dialog);
const field = document.getElementById("files-name");
const fault = document.getElementById("files-name-fault");
const LONGEST_BYTES = 255;
let take = async () => {};

// `work(name)` does what is wanted; what it throws is said at the field.
export function askName({ title, label, ok, value = "", work }) {
  document.getElementById("files-naming-title").textContent = title;
  at.label.textContent = label;
  at.ok.textContent = ok;
  field.value = value;
  refuse("");
  take = work;
  dialog.showModal();
  field.focus();
  // The part before the ending is what is usually changed.
  const dot = value.lastIndexOf(".");
  field.setSelectionRange(0, dot > 0 ? dot : value.length);
}

function refuse(text) {
  fault.textContent = text;
  field.toggleAttribute("aria-invalid", Boolean(text));
  if (text) field.setAttribute("aria-invalid", "true");
}

export function objection(name) {
  if (name.includes("/") || name === "." || name === "..") return words.slash;
  return new TextEncoder().encode(name).length > LONGEST_BYTES ? words.longest : "";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (at.ok.getAttribute("aria-busy") === "true") return;
  const name = field.value;
  const why = objection(name);
  refuse(why);
  if (why) return field.focus();
  at.ok.setAttribute("aria-busy", "true");
  try {
    await take(name);
    dialog.close();
  } catch (error) {
    refuse(error.message);
    field.focus();
  } finally {
    at.ok.removeAttribute("aria-busy");
  }
});
