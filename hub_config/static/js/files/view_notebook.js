// A notebook to read: cells and outputs as text and images. Nothing in it runs.
import { markdown } from "./markdown.js";
import { fill, number, words } from "./words.js";

// Colours that programs write for terminals.
const ESCAPES = /\u001b\[[0-9;]*[A-Za-z]/g;

export function drawNotebook(found) {
  const element = document.createElement("div");
  element.className = "cells";
  element.append(...found.cells.map(cellOf));
  if (found.total > found.cells.length) {
    element.append(noteOf(fill(words.cellsShown, {
      count: number(found.cells.length),
      total: number(found.total),
    })));
  }
  return element;
}

function cellOf(cell) {
  const place = document.createElement("div");
  place.className = `cell is-${cell.type}`;
  if (cell.type === "markdown") {
    place.append(markdown(cell.source));
    return place;
  }
  const name = cell.type === "code" ? `${words.in} [${cell.number ?? " "}]` : "";
  place.append(codeOf(name, cell.source), ...cell.outputs.map((one) => outputOf(one)));
  return place;
}

function outputOf(output) {
  if (output.kind === "image") {
    const image = new Image();
    image.src = `data:${output.type};base64,${output.data}`;
    image.alt = words.picture;
    image.className = "picture";
    return image;
  }
  if (output.kind === "hidden") return noteOf(`${words.notShown} ${output.text}`);
  const code = codeOf(words.out, output.text.replace(ESCAPES, ""));
  code.classList.add(output.kind === "error" ? "is-error" : "is-output");
  return code;
}

function codeOf(name, text) {
  const place = document.createElement("div");
  place.className = "cell-code";
  const label = document.createElement("span");
  label.className = "soft small";
  label.textContent = name;
  const pre = document.createElement("pre");
  pre.append(Object.assign(document.createElement("code"), { textContent: text }));
  pre.tabIndex = 0;
  pre.setAttribute("role", "group");
  pre.setAttribute("aria-label", name || words.notebook);
  place.append(label, pre);
  return place;
}

function noteOf(text) {
  const note = document.createElement("p");
  note.className = "soft small";
  note.textContent = text;
  return note;
}
