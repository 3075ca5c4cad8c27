// One file or folder in full, and what can be done with it.
import { archiveAddress, contentAddress, fetchTo } from "./download.js";
import { behind } from "./kinds.js";
import { nameOf } from "./place.js";
import { absolute } from "./state.js";
import { moment, size, slots, words } from "./words.js";

const dialog = document.getElementById("files-more");
const at = slots(dialog);
const KINDS = { folder: "folderKind", file: "fileKind", link: "linkKind", other: "otherKind" };
// The place that it is about.
let shown = null;
let about = null;

export function aboutWhat() {
  return { place: shown, entry: about };
}

const OFFERED = {
  download: (what) => what === "file",
  // A link is packed as a link.
  archive: (what, mayChange, place, entry) => entry.kind === "folder",
  use: (what) => what === "folder",
  item: (what, mayChange, place) => (what === "file" || what === "folder") && place.root === "scratch",
  rename: (what, mayChange) => mayChange,
  move: (what, mayChange) => mayChange,
  delete: (what, mayChange) => mayChange,
};

// `mayChange` is about the folder that it lies in.
export async function showMore(place, entry, mayChange) {
  shown = place;
  about = entry;
  const what = behind(entry);
  at.name.textContent = nameOf(place.path);
  at.kind.textContent = words[KINDS[entry.kind]] ?? entry.kind;
  at.path.textContent = absolute(place);
  at.size.textContent = entry.kind === "file" ? size(entry.size) : "–";
  at.time.replaceChildren(moment(entry.changed_at));
  at.mode.textContent = entry.mode;
  for (const offer of dialog.querySelectorAll("[data-offers]")) {
    offer.hidden = !OFFERED[offer.dataset.offers](what, mayChange, place, entry);
  }
  dialog.showModal();
  at.download.href = await contentAddress(place);
  at.zip.href = await archiveAddress(place, "zip");
  at.tar.href = await archiveAddress(place, "tar");
}

export function closeMore() {
  if (dialog.open) dialog.close();
}

dialog.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-slot]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  fetchTo(shown, link.href);
  dialog.close();
});
