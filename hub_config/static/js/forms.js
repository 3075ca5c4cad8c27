// A form with data-once is sent once: a second click finds its button busy. Forms that
// come into the page later count too.
import { word } from "./messages.js";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  // Not form.dataset: a form may have a field of that name.
  if (form.hasAttribute("data-sent")) {
    event.preventDefault();
    return;
  }
  form.setAttribute("data-sent", "yes");
  const button = event.submitter;
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  const spinner = Object.assign(document.createElement("span"), {
    className: "spinner",
  });
  spinner.setAttribute("aria-hidden", "true");
  button.prepend(spinner);
  document.getElementById("said")?.append(
    Object.assign(document.createElement("span"), {
      className: "visually-hidden",
      textContent: word("working"),
    }),
  );
});

// Coming back with the browser's own button must not find everything still busy.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

document.querySelector("[data-focus]")?.focus();
