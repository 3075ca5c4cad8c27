// What a file of a data item looks like. The person's agent reads it, so the kernel has
// decided that they may; pictures are shown as data, never as a page.
import { fill, size } from "../figures.js";
import { newAgent, patiently } from "./scratch.js";
import { words } from "./words.js";

const TEXT_BYTES = 65_536;
const PICTURE_BYTES = 20 * 1024 * 1024;
const PICTURE = /\.(png|jpe?g|gif|webp|bmp|avif)$/i;
const dialog = document.getElementById("data-preview");
const agent = newAgent();
let turn = 0;

function slot(name) {
  return dialog.querySelector(`[data-slot=${name}]`);
}

function clear() {
  slot("text").hidden = true;
  slot("picture").hidden = true;
  slot("picture").removeAttribute("src");
}

async function show(button) {
  const mine = ++turn;
  const { path, root, title, bytes } = button.dataset;
  clear();
  slot("title").textContent = title;
  slot("line").textContent = words.starting;
  if (!dialog.open) dialog.showModal();
  try {
    const isPicture = PICTURE.test(path) && Number(bytes) <= PICTURE_BYTES;
    const about = isPicture ? await picture(root, path) : await text(root, path);
    if (mine !== turn) return;
    if (isPicture) {
      slot("picture").src = about.source;
      slot("picture").alt = title;
      slot("picture").hidden = false;
      slot("line").textContent = size(Number(bytes));
    } else {
      slot("text").hidden = about.isBinary;
      slot("text").querySelector("code").textContent = about.text;
      slot("line").textContent = about.isBinary ? words.binary : about.line;
    }
  } catch (error) {
    if (mine === turn) slot("line").textContent = error.message;
  }
}

async function picture(root, path) {
  const query = new URLSearchParams({ root, path, as: "image" });
  const answer = await patiently(() => agent.fetch(`api/files/view?${query}`, { accept: "image/*" }));
  return { source: await dataOf(await answer.blob()) };
}

function dataOf(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

async function text(root, path) {
  const query = new URLSearchParams({ root, path, as: "text", from: 0, to: TEXT_BYTES });
  const found = await patiently(() => agent.json(`api/files/view?${query}`));
  const isWhole = found.size === undefined || found.size <= TEXT_BYTES;
  const line = isWhole ? size(found.size ?? 0) : fill(words.first, { part: size(TEXT_BYTES), all: size(found.size) });
  return { text: found.text ?? "", isBinary: Boolean(found.binary ?? found.is_binary), line };
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-preview]");
  if (button) show(button);
});
dialog?.addEventListener("close", () => {
  turn += 1;
  clear();
});
