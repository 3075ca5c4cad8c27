// Uploads that were begun and not finished: choose the same files again, and only what
// is missing is sent.
import { call } from "../api.js";
import { fill, number, size } from "../figures.js";
import { complain, say } from "../messages.js";
import { bytesOf, ofInput, together } from "./picking.js";
import { Panel } from "./panel.js";
import { api, page, words } from "./words.js";

const place = document.getElementById("data-uploads");

// Files of another choice than before would never become the item that was announced.
function mismatch(upload, files) {
  if (files.length === upload.files && bytesOf(files) === upload.bytes) return "";
  return fill(words.others, {
    files: number(files.length),
    bytes: size(bytesOf(files)),
    wantedFiles: number(upload.files),
    wantedBytes: size(upload.bytes),
  });
}

async function goOn(line, input) {
  const files = together([], ofInput(input));
  input.value = "";
  const key = line.dataset.key;
  try {
    const found = await call("GET", api(`uploads/${key}`));
    const wrong = mismatch(found, files);
    if (wrong) {
      complain(wrong);
      return;
    }
    line.hidden = true;
    const panel = new Panel(document.getElementById("data-panels"), found, line.dataset.title);
    const id = await panel.run(files, false);
    if (id !== null) say(fill(words.arrived, { name: line.dataset.title }));
  } catch (error) {
    complain(error.message);
  }
}

async function giveUp(line) {
  try {
    await call("DELETE", api(`uploads/${line.dataset.key}`));
    line.remove();
    say(words.given);
    document.dispatchEvent(new CustomEvent("kqi:changed"));
  } catch (error) {
    complain(error.message);
  }
}

async function finish(line) {
  try {
    const { data } = await call("POST", api(`uploads/${line.dataset.key}/finish`));
    if (data) location.assign(page(`data/${data.id}`, data.tenant));
    else say(words.publishing);
  } catch (error) {
    complain(error.message);
  }
}

place?.addEventListener("change", (event) => {
  const line = event.target.closest("[data-key]");
  if (line && event.target.matches("input[type=file]")) goOn(line, event.target);
});
place?.addEventListener("click", (event) => {
  const line = event.target.closest("[data-key]");
  const does = event.target.closest("[data-does]")?.dataset.does;
  if (does === "give-up") giveUp(line);
  if (does === "finish") finish(line);
});
