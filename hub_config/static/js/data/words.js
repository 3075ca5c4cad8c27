// The words of the pages of data, and what stands in for each state of an upload.
const place = document.getElementById("data-words");
export const words = place?.dataset ?? {};

export function api(path) {
  return `${words.api}/${path}`;
}

// A page of ours; its address says the tenant, so that it can be given to others.
export function page(path, tenant = "") {
  const query = tenant ? `?${new URLSearchParams({ tenant })}` : "";
  return `${words.pages}${path}${query}`;
}
