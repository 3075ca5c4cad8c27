// Keeps the live parts of a page of the session's own as it is on the server.
const cookie = (name) => {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
};

const parts = () => [...document.querySelectorAll("[data-live]")];
const isInUse = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");

async function renew() {
  if (!document.hidden && !parts().every(isInUse)) {
    try {
      const answer = await fetch(location.href, {
        headers: { "X-XSRFToken": cookie("_xsrf") }, credentials: "same-origin",
      });
      if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The network is away for a moment: the next time asks again.
    }
  }
  wait();
}

function replace(page) {
  const fresh = page.querySelectorAll("[data-live]");
  parts().forEach((old, place) => {
    const now = fresh[place];
    if (!now || isInUse(old)) return;
    if (now.innerHTML !== old.innerHTML) old.innerHTML = now.innerHTML;
    old.dataset.live = now.dataset.live;
  });
}

function wait() {
  const pauses = parts().map((part) => Number(part.dataset.live));
  if (pauses.length) setTimeout(renew, 1000 * Math.min(...pauses));
}
wait();
