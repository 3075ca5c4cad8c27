// The form that makes an environment: what the site offers, what there is room for.
import { showWhere } from "./where.js";
import { agent, first, order, roomText } from "./source.js";
import { copyOf, fill, number, size, slots, words } from "./words.js";

const form = document.getElementById("env-form");
const place = slots(form);
const fault = document.getElementById("env-fault");
const MOST_CHARACTERS = 1_000_000;
let isJob = true;
let bases = [];

function drawBases() {
  const picks = document.querySelector("#env-bases .picks");
  place.none.hidden = bases.length > 0;
  picks.replaceChildren(...bases.map(baseOf));
}

function baseOf(offer) {
  const pick = copyOf("env-base");
  const about = slots(pick);
  const input = pick.querySelector("input");
  input.value = offer.name;
  input.checked = Boolean(offer.is_default);
  about.title.textContent = offer.title || offer.name;
  about.about.textContent = offer.about ?? "";
  const facts = [`Python ${offer.python}`, size(offer.installed_bytes ?? 0)];
  about.facts.textContent = facts.join(" · ");
  return pick;
}

function chosen(name) {
  return form.querySelector(`input[name=${name}]:checked`)?.value ?? "";
}

function renew() {
  const isBase = chosen("source") === "base";
  document.getElementById("env-bases").hidden = !isBase;
  document.getElementById("env-file").hidden = isBase;
  const offer = bases.find((one) => one.name === chosen("base"));
  place.need.textContent =
    isBase && offer
      ? fill(words.need, {
          bytes: size(offer.installed_bytes ?? 0),
          files: number(offer.installed_files ?? 0),
        })
      : "";
}

function refuse(text) {
  fault.hidden = !text;
  fault.querySelector("p").textContent = text;
  if (text) fault.focus();
}

// A lock and an explicit list are told apart by their first lines.
function sourceOf(kind, text) {
  if (kind !== "lock") return kind;
  return /^\s*@EXPLICIT\s*$/m.test(text) ? "explicit" : "lock";
}

async function send(button) {
  const given = new FormData(form);
  const wanted = { operation: "create", name: given.get("name").trim() };
  if (isJob) wanted.queue = given.get("queue") ?? "";
  const kind = chosen("source");
  const text = document.getElementById("env-text").value;
  if (kind === "base") wanted.base = chosen("base");
  else wanted[sourceOf(kind, text)] = text;
  refuse("");
  button.setAttribute("aria-busy", "true");
  try {
    const { task } = await order(wanted, isJob);
    location.assign(`${words.list}#${task}`);
  } catch (error) {
    refuse(error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", renew);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  if (button.getAttribute("aria-busy") !== "true") send(button);
});
document.getElementById("env-upload").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  const text = file.size > MOST_CHARACTERS ? "\0" : await file.text();
  const isText = !text.includes("\0");
  refuse(isText ? "" : words.unreadable);
  if (isText) document.getElementById("env-text").value = text;
});

const found = await first("api/environments");
isJob = showWhere(found);
place.room.textContent = roomText(found.room);
form.hidden = false;
const asked = new URLSearchParams(location.search).get("name");
if (asked) form.elements.name.value = asked.slice(0, 40);
try {
  ({ bases } = await agent.json("api/environments/bases"));
} catch (error) {
  refuse(error.message);
}
drawBases();
renew();
