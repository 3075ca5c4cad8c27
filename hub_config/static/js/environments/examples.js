// Example notebooks, copied into the workspace on request.
import { agent } from "./source.js";
import { copyOf, fill, slots, words } from "./words.js";

export async function showExamples() {
  const { examples } = await agent.json("api/examples");
  const place = document.getElementById("env-examples");
  place.hidden = examples.length === 0;
  place.querySelector("ul").replaceChildren(...examples.map(lineOf));
}

export async function copyExample(name) {
  const body = { names: [name] };
  const { made } = await agent.json("api/examples", { method: "POST", body });
  return fill(words.copied, { file: made[0] });
}

function lineOf(one) {
  const line = copyOf("env-example");
  const place = slots(line);
  line.dataset.name = one.name;
  place.title.textContent = one.title;
  place.name.textContent = one.name;
  place.of.textContent = `: ${one.name}`;
  return line;
}
