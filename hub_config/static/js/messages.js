// Tell what happened, on the screen and to screen readers.
const SHOWN_MS = 8000;
const words = document.getElementById("words")?.dataset ?? {};

export function word(name) {
  return words[name] ?? "";
}

// Results go away by themselves; errors stay until they are closed.
export function say(text) {
  const line = show("toast-good", "said", text);
  if (line) setTimeout(() => line.remove(), SHOWN_MS);
}

export function complain(text) {
  show("toast-bad", "failed", text);
}

function show(template, region, text) {
  const place = document.getElementById(region);
  const source = document.getElementById(template);
  if (!place || !source) return null;
  const line = source.content.firstElementChild.cloneNode(true);
  line.querySelector("p").textContent = text;
  line.querySelector("button").addEventListener("click", () => line.remove());
  place.append(line);
  return line;
}

const first = document.querySelector("#said .toast-line");
if (first) setTimeout(() => first.remove(), SHOWN_MS);
