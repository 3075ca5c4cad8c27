// Sets the colours before the first paint, so that nothing flashes. The server writes
// light or dark itself when one is chosen; only "system" is for the browser to know.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { theme } = root.dataset;
    root.dataset.bsTheme =
      theme === "dark" || (theme === "system" && dark.matches) ? "dark" : "light";
  };
  root.classList.add("has-script");
  apply();
  dark.addEventListener("change", apply);
  new MutationObserver(apply).observe(root, { attributeFilter: ["data-theme"] });
})();
