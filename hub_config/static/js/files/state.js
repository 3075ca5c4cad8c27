// Where the page is, and the news that something there has changed.
import { placeOf } from "./place.js";

// Tabs of this person tell each other that something has changed.
const others = new BroadcastChannel("kqi-files");
let place = placeOf(location.search);
// What the agent has said of the roots: absolute path, room.
let roots = new Map();

export function here() {
  return place;
}

export function moveTo(next) {
  place = next;
}

// Something has changed on the disk: this tab and the others look again.
export function changed() {
  others.postMessage("changed");
  document.dispatchEvent(new CustomEvent("kqi:files"));
}

export function onChange(work) {
  others.addEventListener("message", work);
  document.addEventListener("kqi:files", work);
}

export function learnRoots(found) {
  roots = new Map(found.map((one) => [one.root, one]));
}

export function rootOf(of) {
  return roots.get(of.root);
}

// The path as programs on the cluster know it.
export function absolute(of) {
  const top = roots.get(of.root)?.absolute ?? "";
  return of.path ? `${top}/${of.path}` : top;
}
