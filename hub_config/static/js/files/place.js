// Where we are: a root and a path as the agent names them, and how the list is wanted.
// All of it stands in the page's address, so that it can be sent to somebody, opened in
// another tab, and gone back to.
const SORTS = new Set(["name", "size", "time"]);

export function placeOf(search) {
  const query = new URLSearchParams(search);
  const given = query.get("sort") ?? "";
  const sort = given.replace(/^-/, "");
  return {
    root: query.get("at") || "scratch",
    path: query.has("at") || query.has("path") ? clean(query.get("path") ?? "") : "workspace",
    sort: SORTS.has(sort) ? sort : "name",
    isDown: given.startsWith("-"),
    match: query.get("match") ?? "",
    hidden: query.get("hidden") === "yes",
  };
}

export function addressOf(place) {
  const query = new URLSearchParams(location.search);
  for (const name of ["at", "path", "sort", "match", "hidden"]) query.delete(name);
  query.set("at", place.root);
  query.set("path", place.path);
  if (place.sort !== "name" || place.isDown) {
    query.set("sort", (place.isDown ? "-" : "") + place.sort);
  }
  if (place.match) query.set("match", place.match);
  if (place.hidden) query.set("hidden", "yes");
  return `${location.pathname}?${query}`;
}

// A query of the agent's; values that are not given are left out.
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given).toString();
}

export function clean(path) {
  return path.split("/").filter(Boolean).join("/");
}

export function join(path, name) {
  return path ? `${path}/${name}` : name;
}

export function parentOf(path) {
  return path.split("/").slice(0, -1).join("/");
}

export function nameOf(path) {
  return path.split("/").at(-1);
}

export function isSame(one, other) {
  return one.root === other.root && one.path === other.path;
}
