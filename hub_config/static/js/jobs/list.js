// What the list of all jobs needs.
import "../live.js";
import "../parts.js";
import "../notebooks/filter.js";

// Arrays that were unfolded stay so when the list is drawn anew.
const unfolded = new Set();

document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.id) return;
    if (target.open) unfolded.add(target.id);
    else unfolded.delete(target.id);
  },
  true,
);

document.addEventListener("kqi:renewed", () => {
  for (const id of unfolded) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
});
