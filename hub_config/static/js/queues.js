// The list of queues: filter, order and the age of the picture, all in this browser.
// What was chosen is kept here, and put in force again after the page is renewed.
import { call } from "./api.js";
import { complain, say } from "./messages.js";

const KEPT = "kqi-queues";
const PATIENCE_MS = 45_000;
const filter = document.getElementById("queue-filter");
const order = document.getElementById("queue-sort");
const all = document.getElementById("queue-all");
const words = document.getElementById("queue-words")?.dataset ?? {};
const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
// What is best when it is much, and what when it is little.
const MUCH = new Set(["idle", "gpus"]);

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep() {
  const chosen = { filter: filter.value, order: order.value, all: all?.checked ?? false };
  localStorage.setItem(KEPT, JSON.stringify(chosen));
}

function compare(by) {
  if (by === "name") return (a, b) => collator.compare(a.dataset.queue, b.dataset.queue);
  const value = (row) => (row.dataset[by] === "" ? Infinity : Number(row.dataset[by]));
  return MUCH.has(by) ? (a, b) => value(b) - value(a) : (a, b) => value(a) - value(b);
}

function apply() {
  const body = document.querySelector(".queue-table tbody");
  if (!body || !filter) return;
  const rows = [...body.rows];
  rows.forEach((row, place) => (row.dataset.place ??= String(place)));
  const asked = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.dataset.text.toLowerCase();
    const isUsable = row.dataset.usable === "yes" || !all || all.checked;
    row.hidden = !isUsable || !asked.every((word) => text.includes(word));
    if (!row.hidden) shown += 1;
  }
  const by = order.value || "place";
  body.append(...rows.sort(compare(by)));
  const none = document.querySelector(".none-left");
  if (none) none.hidden = shown > 0;
}

if (filter && order) {
  const chosen = read();
  filter.value = String(chosen.filter ?? "");
  if ([...order.options].some((o) => o.value === chosen.order)) order.value = chosen.order;
  if (all && typeof chosen.all === "boolean") all.checked ||= chosen.all;
  for (const field of [filter, order, all]) {
    field?.addEventListener("input", () => {
      keep();
      apply();
    });
  }
  apply();
  document.addEventListener("kqi:renewed", apply);
}

// The age is counted on here, from the difference of the two clocks at the first sight.
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short" });
const first = document.querySelector("[data-ago]");
const drift = Date.now() / 1000 - Number(first?.dataset.ago ?? 0);
let newest = Number(first?.dataset.ago ?? 0);
const bornAge = first ? Math.min(drift, 86_400) : 0;
const born = performance.now();

function showAge() {
  const place = document.querySelector("[data-ago]");
  if (!place) return;
  const at = Math.max(newest, Number(place.dataset.ago));
  const passed = (performance.now() - born) / 1000;
  const age = Math.max(0, Math.round(bornAge + passed - (at - Number(first?.dataset.ago ?? at))));
  place.textContent = age < 120 ? relative.format(-age, "second") : relative.format(-Math.floor(age / 60), "minute");
}

document.addEventListener("kqi:live", ({ detail }) => {
  if (detail.subject !== "queues" || !detail.data.taken_at) return;
  newest = Math.max(newest, detail.data.taken_at);
  showAge();
});
setInterval(showAge, 1000);
showAge();

// Refresh asks the worker, and waits until its picture is here.
for (const form of document.querySelectorAll("form[data-refresh]")) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const { asked_at: askedAt } = await call("POST", form.dataset.refresh);
      say((await isSeenAfter(askedAt)) ? words.fresh : words.late);
    } catch (error) {
      complain(error.message);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

function isSeenAfter(askedAt) {
  if (newest >= askedAt) return Promise.resolve(true);
  return new Promise((done) => {
    const end = (isSeen) => {
      clearTimeout(late);
      document.removeEventListener("kqi:live", look);
      done(isSeen);
    };
    const look = ({ detail }) => {
      if (detail.subject === "queues" && detail.data.taken_at >= askedAt) end(true);
    };
    const late = setTimeout(() => end(false), PATIENCE_MS);
    document.addEventListener("kqi:live", look);
  });
}
