// The words of the pages of data, and what stands in for each state of an upload.
const place = document.getElementById("data-words");
export const words = place?.dataset ?? {};

export function api(path) {
  return `${words.api}/${path}`;
}

export function page(path) {
  return `${words.pages}${path}`;
}
