// The way to where we are: its root, each folder, and the place that it lies in.
import { addressOf, join } from "./place.js";
import { rootOf } from "./state.js";

const crumbs = document.getElementById("files-crumbs");
const links = [...document.querySelectorAll("#files-places a")];

function rootLabel(root) {
  const link = links.find((one) => one.dataset.root === root && one.dataset.path === "");
  return link?.textContent.trim() ?? root;
}

export function showWhere(place) {
  const names = place.path ? place.path.split("/") : [];
  let path = "";
  const steps = [{ label: rootLabel(place.root), path }];
  for (const name of names) {
    path = join(path, name);
    steps.push({ label: name, path });
  }
  crumbs.replaceChildren(...steps.map((step, at) => lineOf(place, step, at === steps.length - 1)));
  const best = bestOf(place);
  best?.scrollIntoView({ block: "nearest", inline: "nearest" });
  for (const link of links) {
    if (link === best) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
    link.href = addressOf({ ...place, root: link.dataset.root, path: link.dataset.path, match: "" });
  }
}

// The innermost of the places that we are in.
function bestOf(place) {
  return links
    .filter(({ dataset }) => dataset.root === place.root && isBelow(place.path, dataset.path))
    .sort((a, b) => b.dataset.path.length - a.dataset.path.length)[0];
}

function isBelow(path, folder) {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

function lineOf(place, step, isLast) {
  const line = document.createElement("li");
  const link = document.createElement("a");
  link.textContent = step.label;
  link.href = addressOf({ ...place, path: step.path, match: "" });
  link.dataset.root = place.root;
  link.dataset.path = step.path;
  link.className = "anywhere";
  if (isLast) link.setAttribute("aria-current", "page");
  line.append(link);
  return line;
}

export function showRoots() {
  for (const link of links) {
    link.parentElement.hidden = !rootOf({ root: link.dataset.root }) && !link.hasAttribute("aria-current");
  }
}
