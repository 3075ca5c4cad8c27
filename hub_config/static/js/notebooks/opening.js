// A notebook opens by itself when it is ready, but only in the tab in which somebody
// has just pressed Start: a link, a reload or another tab never opens one.
const PRESSED = "kqi-start-pressed";
const WAITS = "kqi-opens-";
const FRESH_MS = 60_000;

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

function look() {
  const found = state();
  if (!found) return;
  takeUp(found);
  const key = WAITS + found.notebook;
  const isWaiting = Boolean(found.session) && sessionStorage.getItem(key) === found.session;
  const line = document.getElementById("opens-itself");
  if (line) line.hidden = !isWaiting || found.state !== "starting";
  if (!isWaiting || found.state === "starting") return;
  sessionStorage.removeItem(key);
  if (found.state === "ready" && found.opens) location.assign(found.opens);
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-stays]")) return;
  sessionStorage.removeItem(WAITS + state().notebook);
  look();
  document.querySelector("h1")?.focus();
});
document.addEventListener("kqi:renewed", look);
look();
