// The session's panel: says when this notebook is about to end and why, and lets
// somebody say that they are here. The server decides; this only shows and reports.

const ROOT = new URL("../..", import.meta.url);
const ADDRESS = new URL("kqi/session", ROOT);
const HERE = new URL("kqi/session/here", ROOT);
const TICK_MS = 60_000;
const URGENT_S = 60;

let state = null;
let skew = 0; // seconds by which the server's clock is ahead of ours
let usedSinceTold = false;
let toldAt = 0;
let dismissed = "";
let spoken = "";

const now = () => Date.now() / 1000 + skew;

function cookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

async function ask(address, method) {
  // Without the proof a browser's cookie counts for nothing, not even for a question.
  const headers = { "X-XSRFToken": cookie("_xsrf") };
  try {
    const answer = await fetch(address, { method, headers, credentials: "same-origin" });
    if (!answer.ok) return;
    state = await answer.json();
    skew = state.now - Date.now() / 1000;
    show();
  } catch {
    // The network is away for a moment: what is known stays, and the next tick asks.
  }
}

function tellHere() {
  usedSinceTold = false;
  toldAt = Date.now();
  return ask(HERE, "POST");
}

function length(seconds) {
  const [value, unit] = seconds < URGENT_S
    ? [Math.max(0, Math.ceil(seconds / 10) * 10), "second"]
    : [Math.ceil(seconds / 60), "minute"];
  return new Intl.NumberFormat(state.language, {
    style: "unit", unit, unitDisplay: "long",
  }).format(value);
}

function clock(moment) {
  return new Intl.DateTimeFormat(state.language, { timeStyle: "short" })
    .format(new Date((moment - skew) * 1000));
}

const fill = (text, values) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// What is to be said: the nearest end first, then what went wrong at the start.
function message() {
  const texts = state.texts;
  const left = state.ends_at === null ? Infinity : state.ends_at - now();
  const idleLeft = state.stops_at === null ? Infinity : state.stops_at - now();
  if (left <= state.end_warn_s && left <= idleLeft) {
    return { key: `end ${left < URGENT_S}`, left, lines: [fill(texts.ends_soon, { left: length(left) })] };
  }
  if (idleLeft <= state.idle_warn_s) {
    const values = { left: length(idleLeft), since: clock(state.idle_since) };
    const key = `idle ${idleLeft < URGENT_S}`; // what was closed comes back once more
    return { key, left: idleLeft, idle: true, lines: [fill(texts.idle_soon, values)] };
  }
  const lines = state.notices.map((one) => fill(texts[`notice_${one.code}`] ?? one.code, one));
  return lines.length ? { key: `notices ${lines.length}`, left: Infinity, lines } : null;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const words = element("div", { role: "status" });
const seen = element("ul");
const rule = element("p");
const summary = element("summary");
const details = element("details", {}, summary, rule, seen);
const here = element("button", { type: "button", onclick: tellHere });
const page = element("a", { target: "_blank", rel: "noopener" });
const close = element("button", { type: "button", className: "kqi-plain", onclick: dismiss });
const panel = element(
  "section", { className: "kqi-session", hidden: true },
  words, details, element("div", { className: "kqi-row" }, here, page, close),
);
// Jupyter takes single letters for commands wherever they are typed.
panel.addEventListener("keydown", (event) => {
  event.stopPropagation();
  if (event.key === "Escape") dismiss();
});

function dismiss() {
  dismissed = message()?.key ?? "";
  show();
}

function show() {
  const said = state && message();
  if (!said || said.key === dismissed) {
    panel.hidden = true;
    if (!said) dismissed = "";
    return;
  }
  const texts = state.texts;
  panel.setAttribute("aria-label", texts.title);
  panel.classList.toggle("kqi-urgent", said.left < URGENT_S);
  const text = said.lines.join("\n");
  if (text !== spoken) {
    // Only what is new is read out, and not each second.
    spoken = text;
    words.replaceChildren(...said.lines.map((line) => element("p", { textContent: line })));
  }
  summary.textContent = texts.details;
  rule.textContent = state.rule;
  seen.replaceChildren(...Object.entries(state.seen).map(([name, count]) =>
    element("li", { textContent: `${texts[`seen_${name}`] ?? name}: ${count}` })));
  details.hidden = !said.idle;
  here.textContent = texts.here;
  here.hidden = !said.idle;
  page.textContent = texts.page;
  page.href = /^https?:|^\//.test(state.notebook.page) ? state.notebook.page : "#";
  close.textContent = texts.close;
  panel.hidden = false;
}

function used() {
  usedSinceTold = true;
  const isWarned = state?.stops_at != null && state.stops_at - now() <= state.idle_warn_s;
  if (Date.now() - toldAt > (isWarned ? 2_000 : TICK_MS)) tellHere();
}

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"]) {
  addEventListener(kind, used, { passive: true, capture: true });
}
document.body.append(panel);
setInterval(() => (usedSinceTold ? tellHere() : ask(ADDRESS, "GET")), TICK_MS);
setInterval(() => state && show(), 1_000);
ask(ADDRESS, "GET");
