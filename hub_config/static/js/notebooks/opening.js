// A notebook opens by itself when it is ready, but only in the tab in which somebody
// has just pressed Start: a link, a reload or another tab never opens one.
const PRESSED = "kqi-start-pressed";
const WAITS = "kqi-opens-";
const STAYS = "kqi-stays-";
const FRESH_MS = 60_000;
// On the way out of this page; it can still be called off until the next one answers.
let isGoing = false;

// The press is remembered with its time; the page that follows it takes it up.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-starts]") && event.submitter?.value !== "keep") {
    sessionStorage.setItem(PRESSED, String(Date.now()));
  }
});

function state() {
  return document.querySelector("[data-notebook]")?.dataset;
}

function takeUp(found) {
  const pressed = Number(sessionStorage.getItem(PRESSED) ?? 0);
  if (!pressed || !found.session) return;
  sessionStorage.removeItem(PRESSED);
  if (Date.now() - pressed < FRESH_MS) {
    sessionStorage.setItem(WAITS + found.notebook, found.session);
  }
}

function isOf(key, found) {
  return Boolean(found.session) && sessionStorage.getItem(key + found.notebook) === found.session;
}

function look() {
  const found = state();
  if (!found) return;
  takeUp(found);
  const isWaiting = isOf(WAITS, found) && !isOf(STAYS, found);
  if (isWaiting && found.state !== "starting") {
    sessionStorage.removeItem(WAITS + found.notebook);
    if (found.state === "ready" && found.opens) go(found.opens);
  }
  const line = document.getElementById("opens-itself");
  if (line) line.hidden = !isGoing && !(isWaiting && found.state === "starting");
}

function go(address) {
  isGoing = true;
  location.assign(address);
}

// The decision is kept for the session: whatever the page is told meanwhile, and
// however far the way out is, this one is not opened.
function stay(event) {
  if (!event.target.closest?.("[data-stays]")) return;
  const found = state();
  sessionStorage.setItem(STAYS + found.notebook, found.session);
  if (isGoing) window.stop();
  isGoing = false;
  look();
  document.querySelector("h1")?.focus();
}

// A press counts when it begins: the button may be drawn anew before it ends.
document.addEventListener("pointerdown", stay);
document.addEventListener("click", stay);
document.addEventListener("kqi:renewed", look);
// Back from the notebook: this page is shown as it was left.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  isGoing = false;
  look();
});
look();
