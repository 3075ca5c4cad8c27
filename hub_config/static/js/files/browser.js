// The page of files: where we are stands in its address; what is there, the agent says.
import { Refused } from "../agent.js";
import { showRoots, showWhere } from "./crumbs.js";
import { DOES } from "./does.js";
import { closeFile, isUnsaved, showFile } from "./file.js";
import * as folder from "./folder.js";
import { listenToKeys } from "./keys.js";
import { entryNamed, entryOf, selectNothing } from "./list.js";
import { addressOf, isSame, join, nameOf, parentOf, placeOf } from "./place.js";
import { agent, ask, patiently } from "./source.js";
import { here, learnRoots, moveTo, onChange } from "./state.js";
import { words } from "./words.js";
import "./dropping.js";

const BONES_MS = 150;
const OLD_MS = 10_000;
const TYPING_MS = 300;
// What the agent says of a path that is no folder.
const NO_FOLDER = new Set(["not-regular", "not-folder", "is-file"]);
const [TITLE, SITE] = document.title.split(" · ");
const byId = (id) => document.getElementById(id);
let control = new AbortController();
let shownAt = 0;
let typing = 0;
let cutShort = () => {};

// --- Going somewhere ---

function go(to, { isNew = true, focus = "" } = {}) {
  if (isUnsaved() && !confirm(words.unsaved)) return;
  const isOther = !isSame(to, here());
  moveTo({ ...here(), ...to });
  if (isNew) history.pushState(null, "", addressOf(here()));
  if (isOther) {
    selectNothing();
    folder.fromBeginning();
  }
  load({ isOther, focus });
}

// The same folder in another order; no step to go back to.
function rearrange(changes) {
  moveTo({ ...here(), ...changes });
  history.replaceState(null, "", addressOf(here()));
  folder.fromBeginning();
  load({ isOther: false });
}

function up() {
  const place = here();
  if (place.path) go({ ...place, path: parentOf(place.path), match: "" }, { focus: nameOf(place.path) });
}

addEventListener("popstate", () => {
  const was = here();
  const place = placeOf(location.search);
  moveTo(place);
  const isOther = !isSame(was, place);
  if (isOther) selectNothing();
  folder.fromBeginning();
  const focus = was.path.startsWith(place.path) ? was.path.slice(place.path.length).split("/").find(Boolean) : "";
  load({ isOther, focus });
});

// --- Showing what is there ---

async function load({ isOther = false, isFirst = false, focus = "" } = {}) {
  control.abort();
  control = new AbortController();
  const { signal } = control;
  const place = here();
  showWhere(place);
  document.title = `${nameOf(place.path) || TITLE} · ${SITE}`;
  const bones = setTimeout(() => showBones(isOther), BONES_MS);
  try {
    const found = await patiently(() => foundAt(place, signal), { told, again, signal });
    if (signal.aborted) return;
    clearTimeout(bones);
    face("");
    shownAt = Date.now();
    show(place, found);
    if (isOther && !isFirst) folderTold(place, found, focus);
  } catch (error) {
    clearTimeout(bones);
    if (!signal.aborted) refused(error);
  }
}

// A folder's page, or what a file is.
async function foundAt(wanted, signal) {
  try {
    return { page: await folder.look(wanted, signal) };
  } catch (error) {
    if (!(error instanceof Refused) || !NO_FOLDER.has(error.code)) throw error;
    const file = await ask("stat", wanted, {}, { signal });
    if (file.kind === "folder") throw error;
    return { file };
  }
}

function show(place, { page, file }) {
  if (file) {
    folder.hide();
    showFile(place, file);
  } else {
    closeFile();
    folder.show(place, page);
  }
  byId("files-old").hidden = true;
}

function folderTold(place, { page }, focus) {
  if (!page) return;
  folder.tell(place, page, TITLE);
  // Whoever goes by keys finds the focus where the way leads on.
  const isLost = document.activeElement === document.body || document.activeElement?.closest("#files-table, #files-crumbs");
  if (isLost || focus) folder.focusOn(focus);
}

function showBones(isOther) {
  if (!isOther && shownAt) return;
  face("loading");
}

// Which of the faces is shown; none means what the agent has said.
function face(name) {
  byId("files-loading").hidden = name !== "loading";
  byId("files-failed").hidden = name !== "failed";
  if (!name) return;
  folder.hide();
  closeFile();
}

function told(text, isAway) {
  const hasList = folder.current() !== null;
  byId("files-old").hidden = !hasList;
  byId("files-old").querySelector("span").textContent = text;
  if (hasList) return;
  if (isAway) failed(text);
  else byId("files-line").textContent = text;
}

function refused(error) {
  failed(error.message);
}

function failed(text) {
  face("failed");
  const part = byId("files-failed");
  part.querySelector("[data-slot=message]").textContent = text;
  part.querySelector("[data-does=up]").hidden = !here().path;
}

function again() {
  return new Promise((done) => {
    cutShort = done;
  });
}

// --- Renewing ---

onChange(() => {
  if (folder.current() && document.visibilityState === "visible") load();
});

document.addEventListener("visibilitychange", () => {
  const isOld = Date.now() - shownAt > OLD_MS;
  if (document.visibilityState === "visible" && isOld && folder.current()) load();
});

// --- What people do ---

const OURS = {
  again: () => {
    if (!byId("files-failed").hidden) load({ isOther: true });
    cutShort();
  },
  refresh: () => load(),
  up,
  clear: selectNothing,
  "no-filter": () => rearrange({ match: "", hidden: true }),
  previous: () => folder.hasTurned(-1) && load(),
  next: () => folder.hasTurned(1) && load(),
  sort: (button) => {
    const { by } = button.dataset;
    const place = here();
    // The newest and the largest first, when they are asked for.
    const isDown = place.sort === by ? !place.isDown : by !== "name";
    rearrange({ sort: by, isDown });
  },
};

document.querySelector("main").addEventListener("click", (event) => {
  const link = event.target.closest("#files-table a[data-slot=name], #files-crumbs a, #files-places a");
  if (link && isPlain(event)) {
    event.preventDefault();
    follow(link);
    return;
  }
  const button = event.target.closest("[data-does]");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  const { does } = button.dataset;
  if (Object.hasOwn(OURS, does)) OURS[does](button);
  else if (Object.hasOwn(DOES, does)) DOES[does](button, entryOf(button));
});

function follow(link) {
  const entry = entryOf(link);
  const place = here();
  if (entry) go({ ...place, path: join(place.path, entry.name), match: "" });
  else go({ ...place, root: link.dataset.root, path: link.dataset.path, match: "" });
}

function isPlain(event) {
  return event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}

document.addEventListener("kqi:files-go", ({ detail }) => go(detail));
byId("files-filter").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => rearrange({ match: event.target.value.trim() }), TYPING_MS);
});
byId("files-hidden").addEventListener("change", (event) => rearrange({ hidden: event.target.checked }));
addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});

listenToKeys({
  up,
  rename: (name) => DOES.rename(null, entryNamed(name)),
  remove: (name) => DOES.remove(entryNamed(name)),
});

// Places that are not there for this person are not offered.
async function rootsKnown() {
  const { signal } = new AbortController();
  const never = { told: () => {}, again: () => new Promise(() => {}), signal };
  const found = await patiently(() => agent.json("api/files/roots"), never);
  return found.roots;
}

await load({ isOther: true, isFirst: true });
learnRoots(await rootsKnown());
showRoots();
