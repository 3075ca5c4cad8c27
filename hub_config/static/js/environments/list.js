// The page of environments: drawn from what the agent says, renewed while it is open.
import { complain, say } from "../messages.js";
import { ask, closeMore, pastLine, showMore } from "./dialogs.js";
import { copyExample, showExamples } from "./examples.js";
import { draw } from "./rows.js";
import { agent, first, order, roomText } from "./source.js";
import { TaskPanel, isEnded, titleOf } from "./task.js";
import { showWhere } from "./where.js";
import { fill, words } from "./words.js";

const BUSY_MS = 5_000;
const QUIET_MS = 20_000;
const FIRST_NAME = "notebook";
const SHOWN_PAST = 10;
const panels = new Map();
const byName = new Map();
// Tabs of this person tell each other that something was ordered or has ended.
const others = new BroadcastChannel("kqi-environments");
let seen = "";
let seenTasks = "";
let isJob = true;
let timer = 0;
let bases = [];

function show(found) {
  const text = JSON.stringify([found.environments, found.room]);
  isJob = showWhere(found);
  for (const task of found.tasks) watch(task.id);
  if (text === seen) return;
  seen = text;
  byName.clear();
  for (const one of found.environments) byName.set(one.name, one);
  const isEmpty = byName.size === 0;
  document.getElementById("env-none").hidden = !isEmpty || found.tasks.length > 0;
  document.getElementById("env-list").hidden = isEmpty;
  document.getElementById("env-new").hidden = isEmpty;
  for (const place of document.querySelectorAll("[data-slot=room]")) {
    place.textContent = roomText(found.room);
  }
  draw(found.environments);
}

async function renew() {
  clearTimeout(timer);
  if (document.visibilityState === "hidden") return;
  try {
    show(await agent.json("api/environments"));
    old("");
  } catch (error) {
    old(error.message);
  }
  const isBusy = [...panels.values()].some(({ task }) => task && !isEnded(task));
  timer = setTimeout(renew, isBusy ? BUSY_MS : QUIET_MS);
}

// What is shown is kept while the agent is away, and said to be old.
function old(text) {
  const line = document.getElementById("env-old");
  line.hidden = !text;
  line.querySelector("span").textContent = text;
}

async function showPast() {
  const { tasks } = await agent.json("api/environments/tasks");
  const past = tasks.filter(isEnded).slice(0, SHOWN_PAST);
  const text = JSON.stringify(past);
  if (text === seenTasks) return;
  seenTasks = text;
  const place = document.getElementById("env-past");
  place.hidden = past.length === 0;
  place.querySelector("ul").replaceChildren(...past.map((one) => pastLine(one, titleOf(one))));
}

function watch(id) {
  if (panels.has(id)) return panels.get(id);
  const panel = new TaskPanel(id, ended, (closed) => {
    panels.delete(closed.id);
    if (location.hash === `#${closed.id}`) history.replaceState(null, "", location.pathname);
    document.getElementById("env-none").hidden = byName.size > 0;
    document.querySelector("main").focus();
  });
  panels.set(id, panel);
  document.getElementById("env-tasks").prepend(panel.element);
  return panel;
}

function ended() {
  seen = "";
  others.postMessage("ended");
  renew();
  showPast().catch(() => {});
}

async function begin(wanted, button) {
  button?.setAttribute("aria-busy", "true");
  try {
    const { task, said } = await order(wanted, isJob);
    const panel = watch(task);
    document.getElementById("env-none").hidden = true;
    panel.element.scrollIntoView({ block: "nearest" });
    panel.slots.title.focus({ preventScroll: true });
    say(said);
    others.postMessage("begun");
    renew();
  } catch (error) {
    complain(error.message);
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

async function change(work) {
  closeMore();
  try {
    say(await work());
    renew();
  } catch (error) {
    complain(error.message);
  }
}

async function keepExport(name, format) {
  const path = `api/environments/${encodeURIComponent(name)}/export?format=${format}`;
  const answer = await agent.fetch(path);
  const given = answer.headers.get("Content-Disposition") ?? "";
  const file = /filename="([^"]+)"/.exec(given)?.[1] ?? `${name}.${format}`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return fill(words.exported, { name, file });
}

const DOES = {
  setup: (name, button) => begin({ operation: "setup", name: FIRST_NAME }, button),
  more: (name) => showMore(byName.get(name)),
  repair: (name, button) => start("repair", name, button),
  verify: (name, button) => start("verify", name, button),
  plugins: (name, button) => start("plugins", name, button),
  "bring-back": (name, button) => start("bring-back", name, button),
  reset: (name) => ask("reset", byName.get(name), bases),
  delete: (name) => ask("delete", byName.get(name), bases),
  keep: (name, button) => button.closest("dialog").close(),
  show: (name, button) => {
    watch(button.dataset.task).element.scrollIntoView({ block: "nearest" });
  },
  default: (name) =>
    change(async () => {
      await agent.json("api/environments/default", { method: "PUT", body: { name } });
      return fill(words.default, { name });
    }),
  count: (name) =>
    change(async () => {
      await agent.json("api/environments/sizes", { method: "POST", body: { name } });
      return words.counting;
    }),
  copy: (name) => change(() => copyExample(name)),
  export: (name, button) => change(() => keepExport(name, button.dataset.format)),
};

function start(operation, name, button) {
  closeMore();
  return begin({ operation, name }, button);
}

document.querySelector("main").addEventListener("click", (event) => {
  const button = event.target.closest("[data-does]");
  if (!button || !Object.hasOwn(DOES, button.dataset.does)) return;
  if (button.getAttribute("aria-busy") === "true") return;
  const name = button.closest("[data-name]")?.dataset.name ?? "";
  DOES[button.dataset.does](name, button);
});

for (const form of document.querySelectorAll("form[data-sure]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const dialog = form.closest("dialog");
    const given = new FormData(form);
    const wanted = { operation: form.dataset.sure, name: dialog.dataset.name };
    if (isJob) wanted.queue = given.get("queue") ?? "";
    if (given.get("base")) wanted.base = given.get("base");
    if (given.get("bring_back")) wanted.bring_back = true;
    dialog.close();
    begin(wanted, null);
  });
}

document.addEventListener("visibilitychange", renew);
others.addEventListener("message", () => {
  renew();
  showPast().catch(() => {});
});

show(await first("api/environments"));
if (location.hash.length > 1) watch(location.hash.slice(1));
renew();
showPast().catch(() => {});
showExamples().catch(() => {});
agent
  .json("api/environments/bases")
  .then((found) => {
    bases = found.bases;
  })
  .catch(() => {});
