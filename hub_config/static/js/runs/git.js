// What the Git servers have, offered below the fields while one types. A server that is
// slow or down takes nothing away: an address, a branch, a commit are typed as well.
import { call } from "../api.js";
import { Question, WAIT_MS, offer } from "./offering.js";

const place = document.querySelector("[data-git]");
const ADDRESS = /^(https?:\/\/|ssh:\/\/|git:\/\/|\/|[\w.-]+@[\w.-]+:).+/;

function begin(repository, ref, commit) {
  const servers = call("GET", `${place.dataset.git}/servers`).then(
    (found) => found.servers,
    () => [],
  );
  const found = new Map();
  const repositories = new Question(place, `${place.dataset.git}/repositories`, ({ repositories: some = [] }) => {
    for (const one of some) found.set(one.url, one.name);
    offer(repository, [...found]);
  });
  const branches = new Question(place, `${place.dataset.git}/branches`, ({ branches: some = [], tags = [] }) => {
    offer(ref, [...some, ...tags].map((one) => [one.name, one.commit.slice(0, 12)]));
  });
  const commits = new Question(place, `${place.dataset.git}/commits`, ({ commits: some = [] }) => {
    offer(commit, some.map((one) => [one.commit, [one.title, one.author].filter(Boolean).join(" · ")]));
  });

  async function search() {
    const typed = repository.value.trim();
    if (ADDRESS.test(typed)) return;
    for (const one of await servers) await repositories.ask({ server: one.name, q: typed });
  }

  function look() {
    const url = repository.value.trim();
    if (ADDRESS.test(url)) branches.ask({ url });
  }

  function lookCloser() {
    const url = repository.value.trim();
    if (ADDRESS.test(url)) commits.ask({ url, ref: ref.value.trim() });
  }

  let timer = 0;
  repository.addEventListener("focus", search);
  repository.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      search();
      look();
    }, WAIT_MS);
  });
  repository.addEventListener("change", look);
  ref.addEventListener("focus", look);
  commit.addEventListener("focus", lookCloser);
}

if (place) {
  const fields = ["repository", "ref", "commit"].map((name) =>
    document.getElementById(`field-${name}`));
  begin(...fields);
}
