// What the buttons of the page do, each by its name.
import { complain, say } from "../messages.js";
import { askDelete } from "./deleting.js";
import { fetchSelected } from "./download.js";
import { shownFile } from "./file.js";
import { current } from "./folder.js";
import { chosen, selectNothing } from "./list.js";
import { aboutWhat, closeMore, showMore } from "./more.js";
import { askTarget } from "./moving.js";
import { askName } from "./naming.js";
import { join, nameOf, parentOf } from "./place.js";
import { order } from "./source.js";
import { absolute, changed, here } from "./state.js";
import { toData } from "./to_data.js";
import { showUse } from "./using.js";
import { fill, words } from "./words.js";

function names() {
  return chosen().map(({ name }) => name);
}

function placeOf(entry) {
  const place = here();
  return entry ? { ...place, path: join(place.path, entry.name) } : place;
}

function folderOf(place) {
  return { ...place, path: parentOf(place.path) };
}

function newFolder() {
  const place = here();
  askName({
    title: words.newFolder,
    label: words.newName,
    ok: words.make,
    work: async (name) => {
      await order("folder", { root: place.root, path: join(place.path, name) });
      say(fill(words.madeFolder, { name }));
      changed();
    },
  });
}

function rename(place, after) {
  const name = nameOf(place.path);
  askName({
    title: fill(words.renameIt, { name }),
    label: words.newerName,
    ok: words.rename,
    value: name,
    work: async (newer) => {
      if (newer !== name) {
        await order("move", { root: place.root, path: place.path, to: join(parentOf(place.path), newer) });
        say(fill(words.renamed, { name, newer }));
      }
      after(newer);
    },
  });
}

// From the list, or from the view of a file, which must then go elsewhere.
function after(place) {
  if (here().path !== place.path) return changed();
  const gone = parentOf(place.path);
  document.dispatchEvent(new CustomEvent("kqi:files-go", { detail: { ...here(), path: gone } }));
  return changed();
}

// The page of new data takes files by where they lie.
function makeItem(place, given) {
  const paths = given.map((name) => join(place.path, name));
  location.assign(toData(`${words.data}/new`, words.tenant, paths));
}

async function copyPath(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(fill(words.copiedPath, { path: text }));
  } catch {
    // Pages that are not encrypted may not use the clipboard.
    complain(fill(words.pathIs, { path: text }));
  }
}

export const DOES = {
  "upload-files": () => document.getElementById("files-choose").click(),
  "upload-folder": () => document.getElementById("files-choose-folder").click(),
  "new-folder": newFolder,
  "copy-path": () => copyPath(current()?.absolute ?? absolute(here())),
  "use-here": () => showUse(here()),
  close: (button) => button.closest("dialog").close(),
  more: (button, entry) => showMore(placeOf(entry), entry, current()?.may_change ?? false),
  "more-file": () => {
    const { place, file } = shownFile();
    showMore(place, { ...file, name: nameOf(place.path) }, file.may_move ?? place.root === "scratch");
  },
  "download-selected": (button) => fetchSelected(here(), names(), button.dataset.format),
  "move-selected": () => askTarget(here(), names(), selectNothing),
  "delete-selected": () => askDelete(here(), chosen(), selectNothing),
  "item-selected": () => makeItem(here(), names()),
  use: () => {
    closeMore();
    showUse(aboutWhat().place);
  },
  item: () => {
    const { place } = aboutWhat();
    makeItem(folderOf(place), [nameOf(place.path)]);
  },
  rename: (button, entry) => {
    closeMore();
    const place = button ? aboutWhat().place : placeOf(entry);
    rename(place, () => after(place));
  },
  move: () => {
    closeMore();
    const { place } = aboutWhat();
    askTarget(folderOf(place), [nameOf(place.path)], () => after(place));
  },
  delete: () => {
    closeMore();
    const { place, entry } = aboutWhat();
    askDelete(folderOf(place), [{ ...entry, name: nameOf(place.path) }], () => after(place));
  },
  // By the key: what is selected, else the line that it was pressed on.
  remove: (entry) => askDelete(here(), chosen().length ? chosen() : [entry], selectNothing),
};
