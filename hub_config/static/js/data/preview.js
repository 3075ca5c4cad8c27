// What a file of a data item looks like. The person's agent reads it, so the kernel has
// decided that they may; pictures are shown as data, never as a page.
import { fill, size } from "../figures.js";
import { newAgent, patiently } from "./scratch.js";
import { words } from "./words.js";

const TEXT_BYTES = 65_536;
const PICTURE_BYTES = 20 * 1024 * 1024;
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
  slot("open").href = `${slot("open").dataset.files}?${new URLSearchParams({ at: root, path })}`;
  if (!dialog.open) dialog.showModal();
  try {
    const about = await look(root, path, Number(bytes));
    if (mine !== turn) return;
    slot("line").textContent = about.line;
    if (about.source) {
      Object.assign(slot("picture"), { src: about.source, alt: title, hidden: false });
    }
    if (about.text !== undefined) {
      slot("text").querySelector("code").textContent = about.text;
      slot("text").hidden = false;
    }
  } catch (error) {
    if (mine === turn) slot("line").textContent = error.message;
  }
}

// The agent looks at the content, not at the name, to say what it is.
async function look(root, path, bytes) {
  const seen = await piece(root, path, "auto");
  if (seen.kind === "binary") return { line: words.binary };
  if (seen.kind === "image") {
    if (bytes > PICTURE_BYTES) return { line: words.large };
    return { line: size(bytes), source: await picture(root, path) };
  }
  const { text } = seen.kind === "text" ? seen : await piece(root, path, "text");
  const isWhole = bytes <= TEXT_BYTES;
  const line = isWhole ? size(bytes) : fill(words.first, { part: size(TEXT_BYTES), all: size(bytes) });
  return { line, text };
}

function piece(root, path, way) {
  const query = new URLSearchParams({ root, path, as: way, from: 0, to: TEXT_BYTES });
  return patiently(() => agent.json(`api/files/view?${query}`));
}

async function picture(root, path) {
  const query = new URLSearchParams({ root, path, as: "image" });
  const answer = await patiently(() => agent.fetch(`api/files/view?${query}`, { accept: "image/*" }));
  return dataOf(await answer.blob());
}

function dataOf(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-preview]");
  if (button) show(button);
});
dialog?.addEventListener("close", () => {
  turn += 1;
  clear();
});
