// A button with data-opens="id" shows that dialog; the browser keeps the focus inside,
// closes it on Esc and puts the focus back.
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => {
    document.getElementById(button.dataset.opens)?.showModal();
  });
}

// A click beside a dialog closes it.
for (const dialog of document.querySelectorAll("dialog.box")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
