// The list of notebooks is filtered as one types; without script, by its button.
const form = document.querySelector("form[data-filter]");
const WAIT_MS = 350;
let timer = 0;

if (form) {
  const send = () => {
    const address = new URL(form.action, location.href);
    address.search = new URLSearchParams(new FormData(form)).toString();
    history.replaceState(null, "", address);
    document.dispatchEvent(new CustomEvent("kqi:changed"));
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(send, WAIT_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}
