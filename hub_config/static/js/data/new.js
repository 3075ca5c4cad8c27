// Make a data item, or put more files into one: from this computer or from scratch.
import { call } from "../api.js";
import { complain } from "../messages.js";
import { Chosen } from "./chosen.js";
import { Panel } from "./panel.js";
import { Offer } from "./offer.js";
import { Scratch } from "./scratch.js";
import { fromFiles } from "../files/to_data.js";
import { api, page, words } from "./words.js";
import "./uploads.js";

const MOST_TRIES = 60;
const form = document.getElementById("data-form");
const chosen = new Chosen(document.getElementById("data-drop"));
const scratch = new Scratch(document.getElementById("data-scratch"));

function source() {
  return form.elements.source.value;
}

function listOf(text) {
  return [...new Set(text.split(/[,、，\n]/).map((one) => one.trim()).filter(Boolean))];
}

function faultOf(name, text) {
  const field = document.getElementById(`field-${name}`);
  const line = document.getElementById(`fault-${name}`);
  if (!line) return false;
  line.hidden = !text;
  line.querySelector("span").textContent = text;
  field?.toggleAttribute("aria-invalid", Boolean(text));
  if (field && text) field.setAttribute("aria-invalid", "true");
  if (text) field?.focus();
  return Boolean(text);
}

function isWrong(files) {
  const parents = listOf(form.elements.parents?.value ?? "");
  const isName = form.elements.name && !form.elements.name.value.trim();
  return [
    faultOf("files", files ? "" : words.nothing),
    faultOf("parents", parents.every((one) => /^#?\d{1,18}$/.test(one)) ? "" : words.numbers),
    faultOf("name", isName ? words.needed : ""),
  ].some(Boolean);
}

// What the portal is told before anything is sent; it answers with a ticket.
function announced(files, bytes) {
  const about = { files, bytes };
  const { name, memo, tags, parents } = form.elements;
  if (!name) return about;
  return {
    ...about,
    origin: source(),
    tenant: form.dataset.tenant,
    name: name.value.trim(),
    memo: memo.value,
    tags: listOf(tags.value),
    parents: listOf(parents.value).map((one) => Number(one.replace("#", ""))),
  };
}

async function begin(files, bytes) {
  const made = await call("POST", form.dataset.makes, announced(files, bytes));
  form.hidden = true;
  // More files for a known item: the answer is the upload alone.
  return { upload: made, ...made };
}

async function fromHere() {
  if (isWrong(chosen.files.length)) return;
  const made = await begin(chosen.files.length, chosen.bytes);
  const panel = new Panel(document.getElementById("data-panels"), made.upload, title(made));
  await arrive(await panel.run(chosen.files, true));
}

async function fromScratch() {
  if (isWrong(scratch.paths.length)) return;
  const { files, bytes } = await scratch.count();
  if (isWrong(files)) return;
  const made = await begin(files, bytes);
  const offer = new Offer(document.getElementById("data-panels"), made.upload, title(made));
  // The panel stays: it says how many files are shared with scratch, how many copied.
  await offer.run(scratch.agent, scratch.paths, scratch.base, { files, bytes });
}

function title(made) {
  return made.data?.name ?? form.dataset.title;
}

// Who goes to a page that does not answer right now sees the browser's error, and
// believes the data lost.
async function arrive(id) {
  if (id === null) return;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    try {
      await call("GET", api(`data/${id}`));
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  location.assign(page(`data/${id}`, form.dataset.tenant));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  try {
    await (source() === "scratch" ? fromScratch() : fromHere());
  } catch (error) {
    complain(error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
});

function show() {
  const isScratch = source() === "scratch";
  document.getElementById("data-drop").hidden = isScratch;
  document.getElementById("data-scratch").hidden = !isScratch;
  if (isScratch) scratch.open();
}

for (const radio of form.querySelectorAll("[name=source]")) radio.addEventListener("change", show);
chosen.addEventListener("change", () => {
  faultOf("files", "");
  // A name that nobody has typed is that of the folder, or of the only file.
  const { name } = form.elements;
  if (!name || name.value || !chosen.files.length) return;
  const [first] = chosen.files;
  const top = first.path.split("/")[0];
  const isOne = chosen.files.every((one) => one.path.split("/")[0] === top);
  if (isOne) name.value = top;
});
// The page of files leads here with what was selected there.
const given = fromFiles();
if (given.length) {
  form.elements.source.value = "scratch";
  if (given.length === 1 && form.elements.name) form.elements.name.value = given[0].split("/").at(-1);
  scratch.begin(given);
}
show();
