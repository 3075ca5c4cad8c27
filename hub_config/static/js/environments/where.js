// Where things run on the hub's machine there is nothing to choose.
export function showWhere(isJob) {
  for (const field of document.querySelectorAll("[data-only-jobs]")) field.hidden = !isJob;
}
