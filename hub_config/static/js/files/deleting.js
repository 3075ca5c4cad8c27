// Delete for good: what would be lost is counted and said before, how far it is shown.
import { say } from "../messages.js";
import { count, remove } from "./counting.js";
import { join } from "./place.js";
import { changed } from "./state.js";
import { fill, number, size, slots, words } from "./words.js";

const MOST_NAMED = 8;
const dialog = document.getElementById("files-deleting");
const form = dialog.querySelector("form:not([method=dialog])");
const at = slots(dialog);
const bar = at.bar.querySelector("progress");
let folder = null;
let entries = [];
let counted = null;
let control = new AbortController();
let over = () => {};

export function askDelete(place, chosen, done) {
  folder = place;
  entries = chosen;
  over = done;
  counted = null;
  control = new AbortController();
  const named = entries.slice(0, MOST_NAMED).map(({ name, kind }) => lineOf(kind === "folder" ? `${name}/` : name));
  const rest = entries.length - named.length;
  if (rest > 0) named.push(lineOf(fill(words.andMore, { count: number(rest) })));
  at.lost.replaceChildren(...named);
  stage("asking");
  dialog.showModal();
  at.keep.focus();
  weigh();
}

function lineOf(text) {
  const line = document.createElement("li");
  line.textContent = text;
  return line;
}

// Files that are chosen are known; what is in folders is counted.
async function weigh() {
  const { signal } = control;
  const plain = entries.filter(({ kind }) => kind !== "folder");
  const sum = {
    files: plain.length,
    folders: 0,
    bytes: plain.reduce((all, one) => all + (one.kind === "file" ? one.size : 0), 0),
  };
  const tell = (more, sentence) => {
    at.sum.textContent = fill(sentence, {
      files: number(sum.files + more.files),
      folders: number(sum.folders + more.folders),
      bytes: size(sum.bytes + more.bytes),
    });
  };
  const none = { files: 0, folders: 0, bytes: 0 };
  try {
    for (const { name } of entries.filter(({ kind }) => kind === "folder")) {
      const place = { root: folder.root, path: join(folder.path, name) };
      const found = await count(place, (soFar) => tell(soFar, words.lostSoFar), signal);
      for (const of of ["files", "folders", "bytes"]) sum[of] += found[of];
      tell(none, words.lostSoFar);
    }
    counted = sum;
    tell(none, words.lostCount);
  } catch (error) {
    if (!signal.aborted) at.sum.textContent = fill(words.lostUnknown, { why: error.message });
  }
}

function stage(name) {
  const isAsking = name === "asking";
  at.keep.hidden = !isAsking;
  at.ok.hidden = name === "under way";
  at.ok.removeAttribute("aria-busy");
  at.stop.hidden = name !== "under way";
  at.bar.hidden = name !== "under way";
  at.problem.hidden = true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  control.abort();
  control = new AbortController();
  const { signal } = control;
  stage("under way");
  at.stop.focus();
  let done = 0;
  const show = (now) => {
    done = now;
    const total = counted ? counted.files + counted.folders : 0;
    if (total) Object.assign(bar, { max: total, value: Math.min(now, total) });
    else bar.removeAttribute("value");
    at.done.textContent = fill(words.deleting, { done: number(now) });
  };
  show(0);
  try {
    const names = entries.map(({ name }) => name);
    const { failed } = await remove(folder, names, show, signal);
    if (signal.aborted) say(fill(words.stopped, { count: number(done) }));
    else if (failed.length) return tellFailed(failed);
    else say(fill(words.deleted, { count: number(done) }));
    dialog.close();
  } catch (error) {
    tellFailed([{ path: "", message: error.message }]);
  } finally {
    changed();
    over();
  }
});

function tellFailed(failed) {
  stage("asking");
  at.ok.hidden = true;
  const text = failed.slice(0, 5).map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("\n");
  at.problem.querySelectorAll("p")[1].textContent = text;
  at.problem.hidden = false;
  at.keep.focus();
}

at.stop.addEventListener("click", () => control.abort());
at.keep.addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => control.abort());
