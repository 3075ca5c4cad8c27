// A field of numbers, with the newest things to be ticked below it: both say the same.
for (const list of document.querySelectorAll("[data-offered]")) {
  const field = document.getElementById(`field-${list.dataset.offered}`);
  const boxes = [...list.querySelectorAll("input")];

  const numbers = () => field.value.split(/[\s,]+/).map((one) => one.replace("#", "")).filter(Boolean);

  const follow = () => {
    const known = new Set(numbers());
    for (const box of boxes) box.checked = known.has(box.value);
  };

  list.addEventListener("change", ({ target }) => {
    const others = numbers().filter((one) => one !== target.value);
    field.value = (target.checked ? [...others, target.value] : others).join(", ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.addEventListener("input", follow);
  document.addEventListener("kqi:filled", follow);
  follow();
}
