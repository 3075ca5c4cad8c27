// Rows of a CSV or TSV file, piece by piece; the first row of the file names the columns.
import { complain } from "../messages.js";
import { nameOf } from "./place.js";
import { ask } from "./source.js";
import { copyOf, fill, number, slots, words } from "./words.js";

export function drawTable(place, found) {
  const element = copyOf("files-view-table");
  const at = slots(element);
  const box = element.querySelector(".sheet");
  box.setAttribute("aria-label", fill(words.contentOf, { name: nameOf(place.path) }));
  const [head = [], ...first] = found.rows;
  const starts = [{ from: 0, row: 1 }];
  let piece = { ...found, rows: first };
  box.querySelector("thead").replaceChildren(lineOf(head, 0, "th"));
  // Numbers stand in columns; the head of a column is where its numbers are.
  for (const [n, cell] of (first[0] ?? []).entries()) {
    box.querySelector("thead tr").cells[n + 1]?.classList.toggle("is-number", isNumber(cell));
  }

  function show() {
    const { row } = starts.at(-1);
    const { rows } = piece;
    box.querySelector("tbody").replaceChildren(...rows.map((one, n) => lineOf(one, row + n, "td")));
    at.part.textContent = fill(words.rows, {
      from: number(rows.length ? row : 0),
      to: number(row + rows.length - 1),
    });
    element.querySelector("[data-does=previous-rows]").disabled = starts.length === 1;
    element.querySelector("[data-does=next-rows]").disabled = piece.to >= piece.size;
    box.scrollTop = 0;
  }

  async function turn(start, isBack) {
    try {
      const next = await ask("view", place, { as: "table", from: start.from });
      if (isBack) starts.pop();
      else starts.push(start);
      const rows = start.from === 0 ? next.rows.slice(1) : next.rows;
      piece = { ...next, rows };
      show();
    } catch (error) {
      complain(error.message);
    }
  }

  element.addEventListener("click", (event) => {
    const does = event.target.closest("[data-does]")?.dataset.does;
    if (does === "next-rows") turn({ from: piece.to, row: starts.at(-1).row + piece.rows.length });
    if (does === "previous-rows") turn(starts.at(-2), true);
  });
  show();
  return element;
}

function lineOf(cells, row, kind) {
  const line = document.createElement("tr");
  const count = document.createElement(kind);
  count.className = "is-number soft";
  count.textContent = row ? number(row) : "";
  if (kind === "th") count.append(hiddenText("#"));
  line.append(count, ...cells.map((text) => cellOf(text, kind)));
  return line;
}

function cellOf(text, kind) {
  const cell = document.createElement(kind);
  cell.textContent = text;
  if (kind === "th") cell.scope = "col";
  if (kind === "td" && isNumber(text)) cell.className = "is-number";
  return cell;
}

function isNumber(text) {
  return text.trim() !== "" && !Number.isNaN(Number(text));
}

function hiddenText(text) {
  const span = document.createElement("span");
  span.className = "visually-hidden";
  span.textContent = text;
  return span;
}
