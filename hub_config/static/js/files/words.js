// The words of the page of files, and signs as the server has drawn them.
export * from "../figures.js";

export const words = document.getElementById("files-words").dataset;

export function sign(kind) {
  const signs = document.getElementById("files-signs").content;
  const found = signs.querySelector(`[data-sign="${CSS.escape(kind)}"] > *`);
  return found ? found.cloneNode(true) : "";
}

const listing = new Intl.ListFormat(document.documentElement.lang, { type: "unit" });

// Some names, and how many more there are.
export function some(names, most = 5) {
  const shown = names.slice(0, most);
  return names.length > most
    ? `${listing.format(shown)}, … (${names.length})`
    : listing.format(shown);
}
