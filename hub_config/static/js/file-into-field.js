// A file that somebody chooses is read into a field, where it can still be changed.
for (const input of document.querySelectorAll("[data-reads-into]")) {
  input.addEventListener("change", async () => {
    const [file] = input.files;
    const field = document.getElementById(input.dataset.readsInto);
    if (!file || !field) return;
    const text = await file.text();
    field.value = field.maxLength > 0 ? text.slice(0, field.maxLength) : text;
    field.focus();
  });
}
