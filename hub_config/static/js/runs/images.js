// What the registries have, offered while one types: a registry, its images, their tags.
// There is one field that counts, with the whole name; the two beside it read and write
// it. A registry that is slow, down or lists nothing takes nothing away: names are typed.
import { call } from "../api.js";
import { Question, WAIT_MS, offer } from "./offering.js";

const place = document.querySelector("[data-images]");
const ELSEWHERE = /^[^/]*[.:][^/]*\/|^localhost\//;

// Which registry a name is of, what it is called there, and its tag, as far as typed.
function read(text, registries) {
  const [name] = text.trim().split("@");
  const known = registries.find(({ prefix }) => name.startsWith(`${prefix}/`));
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  const image = colon < 0 ? name : name.slice(0, colon);
  const isElsewhere = !known && ELSEWHERE.test(name);
  const path = known ? image.slice(known.prefix.length + 1) : image.replace(ELSEWHERE, "");
  const tag = colon < 0 ? "" : name.slice(colon + 1);
  return { registry: known ?? (isElsewhere ? null : registries[0]), image, path, tag };
}

function begin(registries, image, registry, tag) {
  const api = place.dataset.images;
  const status = place.querySelector("[role=status]");
  const now = () => read(image.value, registries);
  const repositories = new Question(status, `${api}/repositories`, ({ repositories: some = [] }) => {
    offer(image, some.map((one) => [one, ""]));
  });
  const tags = new Question(status, `${api}/tags`, ({ tags: some = [] }) => {
    offer(tag, some.map((one) => [one, ""]));
  });

  function write(text) {
    image.value = text;
    image.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function follow() {
    const found = now();
    registry.selectedIndex = registries.indexOf(found.registry);
    if (tag.value !== found.tag) tag.value = found.tag;
  }

  function search() {
    const { registry: of, path, tag: typed } = now();
    if (of && !typed) repositories.ask({ registry: of.name, q: path });
  }

  function searchTags() {
    const { registry: of, image: name, path } = now();
    if (of && path) tags.ask({ image: name, q: tag.value.trim() });
  }

  function later(ask) {
    let timer = 0;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT_MS);
    };
  }

  image.addEventListener("focus", search);
  image.addEventListener("input", follow);
  image.addEventListener("input", later(search));
  registry.addEventListener("change", () => {
    const { path } = now();
    const { prefix } = registries[registry.selectedIndex];
    write(path || registry.selectedIndex ? `${prefix}/${path}` : "");
    search();
  });
  tag.addEventListener("focus", searchTags);
  tag.addEventListener("input", later(searchTags));
  tag.addEventListener("input", () => {
    const { image: name, path } = now();
    if (path) write(tag.value ? `${name}:${tag.value}` : name);
  });
  document.addEventListener("kqi:filled", follow);
  follow();
}

function show(registries) {
  const [image, registry, tag] = ["field-image", "pick-registry", "pick-tag"].map((id) =>
    document.getElementById(id));
  for (const { prefix, is_stored: isStored } of registries) {
    registry.add(new Option(isStored ? place.dataset.stored.replace("{registry}", prefix) : prefix));
  }
  for (const one of [registry, tag]) one.closest(".field").hidden = false;
  begin(registries, image, registry, tag);
}

// Without an answer, or a registry, there is the field alone.
if (place) {
  call("GET", `${place.dataset.images}/registries`).then(
    ({ registries }) => registries.length && show(registries),
    () => {},
  );
}
