// Menus close on Esc, on a click elsewhere, and when the focus leaves them.
for (const menu of document.querySelectorAll("details.menu")) {
  const summary = menu.querySelector("summary");
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    summary.focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
}

// On a telephone the navigation opens from the bar.
const button = document.querySelector("[data-nav]");
const side = document.getElementById("side");
if (button && side) {
  const show = (isOpen) => {
    side.classList.toggle("is-open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) side.querySelector("a")?.focus();
  };
  button.addEventListener("click", () => show(!side.classList.contains("is-open")));
  side.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    show(false);
    button.focus();
  });
}
