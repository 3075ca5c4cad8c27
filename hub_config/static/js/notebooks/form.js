// While the form is filled in: what it costs, how long it would wait, and what Slurm
// would refuse. The portal says so; nothing is reckoned here.
const form = document.querySelector("form[data-estimate]");
// Not form.dataset: a field called dataset stands in its place.
const address = form?.getAttribute("data-estimate");
const xsrf = document.querySelector('meta[name="xsrf-token"]')?.content ?? "";
const WAIT_MS = 400;
let timer = 0;
let last = new AbortController();
let clicked = Promise.resolve();

// Between press and release the page must not move: the click would go astray.
document.addEventListener("pointerdown", () => {
  clicked = new Promise((done) => {
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, () => setTimeout(done), { once: true });
    }
  });
});

async function estimate() {
  last.abort();
  last = new AbortController();
  const place = document.querySelector("[data-part=estimate]");
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "X-XSRFToken": xsrf, Accept: "text/html" },
      body: new URLSearchParams(new FormData(form)),
      signal: last.signal,
    });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const newer = fresh.querySelector("[data-part=estimate]");
    await clicked;
    if (newer) place.replaceChildren(...document.adoptNode(newer).childNodes);
    place.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name !== "AbortError") place.removeAttribute("aria-busy");
  }
}

// A long list of queues is searched.
function search(field) {
  const wanted = field.value.trim().toLowerCase();
  for (const pick of form.querySelectorAll("[data-queue]")) {
    const isChosen = pick.querySelector("input").checked;
    pick.hidden = !isChosen && !pick.textContent.toLowerCase().includes(wanted);
  }
}

if (form) {
  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-search]")) {
      search(event.target);
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(estimate, WAIT_MS);
  });
  // Another tenant has other queues and limits: they are shown, nothing is lost.
  form.querySelector("[data-redraws]")?.addEventListener("change", () => {
    form.querySelector("button[value=show]").click();
  });
}
