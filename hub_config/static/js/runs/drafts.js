// What is typed into a new form is kept in this browser until it is sent, so that a
// closed tab or a trip to another page loses nothing. A form that a copy, a link or a
// refused answer has filled in is not replaced by it.
const form = document.querySelector("form[data-draft-of]");
const KEPT_MS = 14 * 24 * 3600 * 1000;
// The proof of this page, and what scripts keep for themselves.
const LEFT_OUT = new Set(["_xsrf", "then"]);
const WAIT_MS = 500;

function values() {
  const found = {};
  for (const [name, value] of new FormData(form)) if (!LEFT_OUT.has(name)) found[name] = value;
  return found;
}

function fill(draft) {
  for (const field of form.elements) {
    if (!field.name || LEFT_OUT.has(field.name)) continue;
    if (field.type === "checkbox") field.checked = draft[field.name] === field.value;
    else if (field.type === "radio") field.checked = draft[field.name] === field.value;
    else if (field.name in draft) field.value = draft[field.name];
  }
  document.dispatchEvent(new CustomEvent("kqi:filled"));
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

class Draft {
  constructor(of) {
    this.key = `kqi-draft-${of}`;
  }

  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
      return kept && Date.now() - kept.at < KEPT_MS ? kept.values : null;
    } catch {
      return null;
    }
  }

  keep() {
    try {
      localStorage.setItem(this.key, JSON.stringify({ at: Date.now(), values: values() }));
    } catch {
      // Without room nothing is kept: the form works all the same.
    }
  }

  drop() {
    localStorage.removeItem(this.key);
  }
}

if (form) {
  const draft = new Draft(form.getAttribute("data-draft-of"));
  const offer = document.getElementById("draft");
  const known = form.getAttribute("data-is-own") ? draft.read() : null;
  const before = JSON.stringify(values());
  let timer = 0;
  offer.hidden = !known || JSON.stringify(known) === before;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => draft.keep(), WAIT_MS);
  });
  form.addEventListener("submit", ({ submitter }) => {
    clearTimeout(timer);
    // What is refused comes back filled in, and is kept again from there.
    if (["start", "prepare"].includes(submitter?.value)) draft.drop();
    else draft.keep();
  });
  offer.addEventListener("click", ({ target }) => {
    const does = target.closest("[data-draft]")?.dataset.draft;
    if (!does) return;
    if (does === "take") fill(known);
    else draft.drop();
    offer.hidden = true;
    document.getElementById("field-name").focus();
  });
}
