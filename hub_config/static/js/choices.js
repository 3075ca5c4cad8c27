// Colours change at once; the choice is sent beside it. Before anybody is logged in,
// this browser alone keeps it.
import { complain, word } from "./messages.js";

const root = document.documentElement;
const YEAR_S = 365 * 24 * 3600;

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `kqi-${name}=${value}; Path=${root.dataset.base}; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
}

async function choose(form, button) {
  const { name, value } = button;
  keep(name, value);
  if (name === "theme") {
    root.dataset.theme = value;
    for (const other of form.querySelectorAll("button")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  } else {
    location.reload();
  }
}

async function send(form, button) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new URLSearchParams(new FormData(form, button)),
    headers: { "X-XSRFToken": form.elements._xsrf.value },
    redirect: "manual",
  });
  if (answer.type !== "opaqueredirect") throw new Error(word("unreachable"));
}

for (const form of document.querySelectorAll("form[data-choice]")) {
  form.addEventListener("submit", (event) => {
    const isAnonymous = !document.querySelector("[data-menu=person]");
    const isTheme = event.submitter?.name === "theme";
    if (!isAnonymous && !isTheme) return;
    event.preventDefault();
    choose(form, event.submitter);
    if (!isAnonymous) {
      send(form, event.submitter).catch(() => complain(word("unreachable")));
    }
  });
}
