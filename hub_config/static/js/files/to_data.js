// From the page of files to the form of new data: what was selected travels in the
// address, or beside it where there is too much of it.
const KEPT = "kqi-files-to-data";
const LONGEST = 6_000;

export function toData(page, tenant, paths) {
  const query = new URLSearchParams(tenant ? { tenant } : {});
  for (const path of paths) query.append("from", path);
  if (query.toString().length <= LONGEST) return `${page}?${query}`;
  sessionStorage.setItem(KEPT, JSON.stringify(paths));
  return `${page}?${new URLSearchParams({ ...(tenant ? { tenant } : {}), selected: "yes" })}`;
}

export function fromFiles() {
  const query = new URLSearchParams(location.search);
  if (query.get("selected") !== "yes") return query.getAll("from").filter(Boolean);
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}
