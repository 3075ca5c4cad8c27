// Where things run on the hub's machine there is nothing to choose. A queue that the site
// has set for this goes before the one that is proposed for being free of charge.
import { words } from "./words.js";

export function showWhere(found) {
  const isJob = found.run_on === "job";
  for (const field of document.querySelectorAll("[data-only-jobs]")) {
    field.hidden = !isJob;
    const select = field.querySelector("select");
    const isOffered = [...select.options].some((one) => one.value === found.queue);
    if (isOffered && words.queue !== found.queue) select.value = found.queue;
  }
  if (found.queue) words.queue = found.queue;
  return isJob;
}
