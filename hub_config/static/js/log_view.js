// A log as it grows: the end is shown, as long as the reader wants that. Colours are
// kept, and a line that its program writes over again is shown as it stands.
import { Ansi } from "./ansi.js";

const SHOWN_CHARACTERS = 200_000;
const views = new WeakMap();

export function append(code, text, follows) {
  let view = views.get(code);
  // Whoever empties it, begins anew.
  if (!view || !code.firstChild) views.set(code, (view = new View(code)));
  view.append(text);
  if (follows) code.parentElement.scrollTop = code.parentElement.scrollHeight;
}

class View {
  constructor(code) {
    this.code = code;
    this.ansi = new Ansi();
    this.length = 0;
    this.line = []; // the pieces of the line that has not ended
    this.goesBack = false;
  }

  append(text) {
    const pieces = [];
    let lineFrom = 0;
    this.ansi.read(text, {
      text: (said, name) => {
        if (this.goesBack) {
          pieces.length = lineFrom;
          this.remove(this.line.splice(0));
          this.goesBack = false;
        }
        pieces.push([said, name]);
      },
      end: () => {
        pieces.push(["\n", ""]);
        lineFrom = pieces.length;
        this.line = [];
        this.goesBack = false;
      },
      back: () => {
        this.goesBack = true;
      },
    });
    const ended = nodes(pieces.slice(0, lineFrom));
    const open = nodes(pieces.slice(lineFrom));
    this.code.append(...ended, ...open);
    this.line.push(...open);
    for (const node of [...ended, ...open]) this.length += node.textContent.length;
    this.shorten();
  }

  remove(found) {
    for (const node of found) {
      this.length -= node.textContent.length;
      node.remove();
    }
  }

  shorten() {
    while (this.length > SHOWN_CHARACTERS && this.code.firstChild) {
      const first = this.code.firstChild;
      const [size, over] = [first.textContent.length, this.length - SHOWN_CHARACTERS];
      if (size <= over) {
        first.remove();
        this.length -= size;
      } else {
        first.textContent = first.textContent.slice(over);
        this.length -= over;
      }
    }
  }
}

// One text for all that looks the same.
function nodes(pieces) {
  const runs = [];
  for (const [text, name] of pieces) {
    const last = runs.at(-1);
    if (last && (last[1] === name || text === "\n")) last[0].push(text);
    else runs.push([[text], name]);
  }
  return runs.map(([texts, name]) => node(texts.join(""), name));
}

function node(text, name) {
  if (!name) return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}
