// Keys in the list of a folder: lines, selection, up, rename, delete.
import { lines, select, toggle } from "./list.js";

const body = document.querySelector("#files-table tbody");

function nameOf(line) {
  return line.closest("tr").dataset.name;
}

function step(line, by) {
  const all = lines();
  return all[Math.max(0, Math.min(all.length - 1, all.indexOf(line) + by))];
}

const MOVES = {
  ArrowDown: (line) => step(line, 1),
  ArrowUp: (line) => step(line, -1),
  PageDown: (line) => step(line, 15),
  PageUp: (line) => step(line, -15),
  Home: () => lines()[0],
  End: () => lines().at(-1),
};

// `does` has what the page itself does: up, rename, remove.
export function listenToKeys(does) {
  body.addEventListener("keydown", (event) => {
    const line = event.target.closest("tr")?.querySelector("a[data-slot=name]");
    if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOnLine = event.target === line;
    const { key } = event;
    if (Object.hasOwn(MOVES, key)) {
      const next = MOVES[key](line);
      if (event.shiftKey) {
        select(nameOf(line), true);
        select(nameOf(next), true);
      }
      next.focus();
    } else if (key === " " && isOnLine) {
      toggle(nameOf(line));
    } else if (key === "Backspace") {
      does.up();
    } else if (key === "F2") {
      does.rename(nameOf(line));
    } else if (key === "Delete") {
      does.remove(nameOf(line));
    } else {
      return;
    }
    event.preventDefault();
  });
}
