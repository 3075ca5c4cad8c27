// The form's environment is chosen from those that there are, as the person's agent says.
// Until it answers, and where it does not, its name is typed.
import { Agent, Starting, wait } from "../agent.js";

const place = document.querySelector("[data-environments]");
const PAUSE_MS = 1_000;
const PATIENCE_MS = 30_000;

function named(sentence, name) {
  return sentence.replace("{name}", name);
}

function label(one) {
  if (one.state === "broken") return named(place.dataset.broken, one.name);
  return one.is_default ? named(place.dataset.usual, one.name) : one.name;
}

// What was typed stays, and is said not to be there; a new form begins with the default,
// or with what was used last.
function wanted(typed, found) {
  if (typed || !place.dataset.first) return typed;
  const whole = found.filter((one) => ["ready", "foreign"].includes(one.state));
  const used = whole.filter((one) => one.used_at);
  used.sort((a, b) => b.used_at.localeCompare(a.used_at));
  return (whole.find((one) => one.is_default) ?? used[0])?.name ?? "";
}

function options(found, value) {
  const usable = found.filter((one) => one.state !== "making");
  const all = [["", place.dataset.own], ...usable.map((one) => [one.name, label(one)])];
  if (value && !usable.some((one) => one.name === value)) {
    all.push([value, named(place.dataset.gone, value)]);
  }
  return all.map(([name, text]) => new Option(text, name, false, name === value));
}

function choose(field, found) {
  const select = document.createElement("select");
  select.className = "form-select";
  for (const { name, value } of field.attributes) {
    if (["id", "name", "aria-describedby", "aria-invalid"].includes(name)) {
      select.setAttribute(name, value);
    }
  }
  select.append(...options(found, wanted(field.value.trim(), found)));
  const broken = new Set(found.filter((one) => one.state === "broken").map((one) => one.name));
  const look = () => {
    place.querySelector("[data-mend]").hidden = !broken.has(select.value);
  };
  select.addEventListener("change", look);
  field.replaceWith(select);
  look();
}

async function ask() {
  const agent = new Agent(place.dataset.agent, { starting: "", broken: "" });
  const began = Date.now();
  for (;;) {
    try {
      return (await agent.json("api/environments")).environments;
    } catch (error) {
      const isHopeless = !(error instanceof Starting) || Date.now() - began > PATIENCE_MS;
      if (isHopeless) return null;
      await wait(PAUSE_MS);
    }
  }
}

if (place) {
  const field = place.querySelector("[name=environment]");
  const before = field.value;
  const found = await ask();
  // Somebody who has begun to type is not interrupted.
  const isFree = document.activeElement !== field && field.value === before;
  if (found?.length && isFree) choose(field, found);
  if (found?.length === 0) place.querySelector("[data-none]").hidden = false;
}
