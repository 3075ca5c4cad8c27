// The list of environments: what needs help first, then what is used most.
import { fill, mark, moment, number, size, slots, words } from "./words.js";

const section = document.getElementById("env-list");
const body = section.querySelector("tbody");
const pattern = body.rows[0];
const ORDER = { broken: 0, making: 1, ready: 2, foreign: 2 };
pattern.remove();

export function sorted(found) {
  return [...found].sort(
    (a, b) =>
      (ORDER[a.state] ?? 3) - (ORDER[b.state] ?? 3) ||
      Number(b.is_default) - Number(a.is_default) ||
      (b.used_at ?? "").localeCompare(a.used_at ?? "") ||
      a.name.localeCompare(b.name),
  );
}

export function draw(found) {
  const focused = body.contains(document.activeElement) ? document.activeElement.id : "";
  body.replaceChildren(...sorted(found).map(rowOf));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

export function aboutOf(one) {
  return [one.base, one.python ? `Python ${one.python}` : ""].filter(Boolean).join(" · ");
}

export function kernelsOf(one) {
  return one.kernels.map((kernel) => kernel.title || kernel.name).join(", ") || words.none;
}

export function sizeOf(one) {
  if (!one.size) return "–";
  const own = fill(words.own, { own: size(one.size.own_bytes) });
  return `${size(one.size.bytes)} (${own}), ${filesOf(one)}`;
}

function filesOf(one) {
  return fill(words.files, { count: number(one.size.own_files) });
}

function rowOf(one) {
  const row = pattern.cloneNode(true);
  const place = slots(row);
  row.dataset.name = one.name;
  place.name.textContent = one.name;
  place.default.hidden = !one.is_default;
  place.about.textContent = aboutOf(one);
  place.mark.replaceChildren(mark(one.state));
  place.why.textContent = one.why?.text ?? "";
  const isMaking = one.state === "making";
  place.packages.textContent = isMaking ? "–" : number(one.packages);
  place.size.textContent = one.size ? size(one.size.own_bytes) : "–";
  place.files.textContent = one.size ? filesOf(one) : "";
  place.kernels.textContent = isMaking ? "–" : kernelsOf(one);
  place.used.replaceChildren(moment(one.used_at));
  for (const hidden of row.querySelectorAll("[data-slot=of]")) {
    hidden.textContent = `: ${one.name}`;
  }
  for (const button of row.querySelectorAll("button")) {
    button.id = `env-${button.dataset.does}-${one.name}`;
    const isRepair = button.dataset.does === "repair";
    button.hidden = isMaking || (isRepair && one.state !== "broken");
  }
  return row;
}
