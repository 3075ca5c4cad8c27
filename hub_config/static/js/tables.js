// Short tables are sorted here, by the buttons in their heads; long ones by the server.
const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

function keyOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.sort ?? cell.textContent.trim();
}

function compare(a, b) {
  const [x, y] = [Number(a), Number(b)];
  const areNumbers = a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y);
  return areNumbers ? x - y : collator.compare(a, b);
}

function sort(table, head) {
  const column = head.cellIndex;
  const isUp = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].sort(
    (a, b) => compare(keyOf(a, column), keyOf(b, column)) * (isUp ? 1 : -1),
  );
  body.append(...rows);
}

for (const table of document.querySelectorAll("table[data-sorts]")) {
  for (const button of table.querySelectorAll("thead button")) {
    button.addEventListener("click", () => sort(table, button.closest("th")));
  }
}
