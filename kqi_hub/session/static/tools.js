// Keeps the live part of a page of the session's own as it is on the server.
const cookie = (name) => {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
};

async function renew() {
  const old = document.querySelector("[data-live]");
  if (!old) return;
  if (!document.hidden && !old.contains(document.activeElement) && !old.querySelector("details[open]")) {
    try {
      const answer = await fetch(location.href, {
        headers: { "X-XSRFToken": cookie("_xsrf") }, credentials: "same-origin",
      });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.querySelector("[data-live]");
        if (now && now.innerHTML !== old.innerHTML) old.innerHTML = now.innerHTML;
        if (now) old.dataset.live = now.dataset.live;
      }
    } catch {
      // The network is away for a moment: the next time asks again.
    }
  }
  setTimeout(renew, 1000 * Number(old.dataset.live));
}
const live = document.querySelector("[data-live]");
if (live) setTimeout(renew, 1000 * Number(live.dataset.live));
