// Single keys lead through the pages. They can be switched off, for people whose
// speech or switch device sends keys that they did not mean.
const KEPT = "kqi-no-keys";
const FOLLOWS_MS = 1500;
const switcher = document.querySelector("[data-use-keys]");
let led = 0;

function isOff() {
  return localStorage.getItem(KEPT) === "yes";
}

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable], dialog[open]");
}

const actions = {
  "?": () => document.getElementById("shortcuts")?.showModal(),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  t: () => {
    const menu = document.querySelector("details[data-menu=person]");
    if (!menu) return;
    menu.open = true;
    (menu.querySelector("a") ?? menu.querySelector("summary")).focus();
  },
  g: () => {
    led = Date.now();
  },
};

document.addEventListener("keydown", (event) => {
  const { key, ctrlKey, metaKey, altKey, isComposing, target } = event;
  if (ctrlKey || metaKey || altKey || isComposing || isTyping(target) || isOff()) return;
  if (Date.now() - led < FOLLOWS_MS) {
    led = 0;
    const way = document.querySelector(`.side a[data-key="${CSS.escape(key)}"]`);
    if (way) {
      event.preventDefault();
      location.assign(way.href);
      return;
    }
  }
  if (Object.hasOwn(actions, key)) {
    event.preventDefault();
    actions[key]();
  }
});

if (switcher) {
  switcher.checked = !isOff();
  switcher.addEventListener("change", () => {
    localStorage.setItem(KEPT, switcher.checked ? "no" : "yes");
  });
}
