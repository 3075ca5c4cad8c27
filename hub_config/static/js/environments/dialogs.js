// One environment in full, what can be done with it, and what would be lost.
import { aboutOf, kernelsOf, sizeOf } from "./rows.js";
import { copyOf, mark, moment, slots } from "./words.js";

const more = document.getElementById("env-more");
const OURS = /^[a-z0-9][a-z0-9._-]{0,39}$/;
const OFFERED = {
  repair: (one) => one.state === "broken",
  default: (one) => !one.is_default && one.state !== "broken",
  verify: () => true,
  plugins: (one) => one.state !== "broken",
  "bring-back": (one) => one.has_saved_packages,
  count: () => true,
  export: () => true,
  reset: (one) => OURS.test(one.name),
  delete: () => true,
};

export function showMore(one) {
  const place = slots(more);
  more.dataset.name = one.name;
  place.name.textContent = one.name;
  place.mark.replaceChildren(mark(one.state));
  place.why.textContent = one.why?.text ?? "";
  place.path.textContent = one.path;
  place.made.replaceChildren(moment(one.made_at));
  place.base.textContent = one.base ?? "–";
  place.python.textContent = one.python ?? "–";
  place.kernels.textContent = kernelsOf(one);
  place.size.textContent = sizeOf(one);
  place.outdated.hidden = !one.outdated;
  for (const offer of more.querySelectorAll("[data-offers]")) {
    offer.hidden = !OFFERED[offer.dataset.offers](one);
  }
  if (!more.open) more.showModal();
}

export function closeMore() {
  more.close();
}

// Ask before what cannot be undone.
export function ask(does, one, bases) {
  const dialog = document.getElementById(`env-sure-${does}`);
  const place = slots(dialog);
  dialog.dataset.name = one.name;
  place.name.textContent = one.name;
  place.about.textContent = [aboutOf(one), sizeOf(one)].filter((x) => x && x !== "–").join(" · ");
  const base = dialog.querySelector("select[name=base]");
  base?.replaceChildren(...bases.map((offer) => optionOf(offer, one)));
  more.close();
  dialog.showModal();
}

function optionOf(offer, one) {
  const option = new Option(offer.title || offer.name, offer.name);
  option.selected = one.base ? offer.name === one.base : Boolean(offer.is_default);
  return option;
}

export function pastLine(task, title) {
  const line = copyOf("env-past-line");
  const place = slots(line);
  place.mark.replaceChildren(mark(task.state));
  place.title.textContent = title;
  place.time.replaceChildren(moment(task.asked_at));
  place.of.textContent = `: ${title}`;
  line.querySelector("button").dataset.task = task.id;
  return line;
}
