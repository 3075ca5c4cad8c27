// The form is filled in one step at a time; Back and Next, and the browser's own Back,
// lead through it. What a step holds is always sent, shown or not.
const form = document.querySelector(".run-form");

function steps() {
  return [...form.querySelectorAll(".run-step")];
}

function wanted() {
  const found = /^#step-([1-4])$/.exec(location.hash);
  return Number(found?.[1] ?? form.getAttribute("data-first"));
}

function show(number, focuses) {
  for (const [at, step] of steps().entries()) step.classList.toggle("is-now", at + 1 === number);
  for (const link of form.querySelectorAll("[data-step]")) {
    const step = document.getElementById(`step-${link.dataset.step}`);
    link.classList.toggle("is-wrong", Boolean(step.querySelector("[aria-invalid=true], .fault")));
    if (Number(link.dataset.step) === number) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  if (focuses) document.getElementById(`step-${number}-title`)?.focus();
}

function turn(number) {
  history.pushState(null, "", `#step-${number}`);
  show(number, true);
}

// The fault list at the top, or the browser itself, leads to a field of another step.
function reveal(field) {
  const step = field?.closest(".run-step");
  if (!step || step.classList.contains("is-now")) return;
  show(steps().indexOf(step) + 1, false);
}

if (form) {
  form.classList.add("in-steps");
  form.addEventListener("click", (event) => {
    const link = event.target.closest("[data-turns], [data-step]");
    if (!link) return;
    event.preventDefault();
    turn(Number(link.dataset.turns ?? link.dataset.step));
  });
  form.addEventListener("invalid", (event) => reveal(event.target), true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#field-"]');
    if (!link) return;
    event.preventDefault();
    const field = document.getElementById(link.hash.slice(1));
    reveal(field);
    field?.focus();
  });
  addEventListener("popstate", () => show(wanted(), false));
  show(wanted(), false);
}
