// The words of the pages of environments; numbers and times are every page's.
export { copyOf, fill, moment, momentText, number, size, slots, span } from "../figures.js";

const place = document.getElementById("env-words");
export const words = place?.dataset ?? {};

// The sign and word of a state, as the server has drawn it.
export function mark(state) {
  const marks = document.getElementById("env-marks").content;
  const found = marks.querySelector(`[data-mark="${CSS.escape(state)}"] > *`);
  return found ? found.cloneNode(true) : document.createTextNode(state);
}
