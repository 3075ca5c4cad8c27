// An image, drawn from what the agent sends. SVG is a program and stays text.
import { agent, about } from "./source.js";
import { fill, size, words } from "./words.js";
import { nameOf } from "./place.js";

const MOST_BYTES = 32 * 1024 * 1024;

// Return the image, or a sentence that says why there is none.
export async function drawImage(place, found, signal) {
  if (found.size > MOST_BYTES) return fill(words.tooLarge, { size: size(found.size) });
  const answer = await agent.fetch(`api/files/view?${about(place, { as: "image" })}`, {
    signal,
    accept: "image/*",
  });
  const image = new Image();
  image.alt = nameOf(place.path);
  image.className = "picture";
  image.src = await dataOf(await answer.blob());
  return image;
}

// The pages' policy lets images be drawn from the site itself and from data: only.
function dataOf(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result));
    reader.addEventListener("error", () => failed(reader.error));
    reader.readAsDataURL(blob);
  });
}
