// Parts of a page that change while it is open are marked with data-part="name". They
// are fetched again as the server draws them, and put in place where they differ: what
// they look like is written once, in the template.
const xsrf = document.querySelector('meta[name="xsrf-token"]')?.content ?? "";
const LOOK_EVERY_MS = 30_000;
const PRESSED_MS = 500;
let isUnderWay = false;
let isWanted = false;

// Fetch the page and renew its parts; asked for meanwhile, once more afterwards.
export async function renew() {
  if (isUnderWay) {
    isWanted = true;
    return;
  }
  isUnderWay = true;
  try {
    const answer = await fetch(address(), {
      headers: { "X-XSRFToken": xsrf, Accept: "text/html" },
      redirect: "error",
    });
    const text = await answer.text();
    if (answer.ok) replaceIn(new DOMParser().parseFromString(text, "text/html"));
    else if (answer.status === 404) leave();
    tell(answer.status < 500);
  } catch {
    tell(false);
  } finally {
    isUnderWay = false;
  }
  if (isWanted) {
    isWanted = false;
    await renew();
  }
}

// Of what is deleted while its page is open (data-goes="where to"), the list is left.
function leave() {
  const where = document.querySelector("[data-goes]")?.dataset.goes;
  if (where) location.assign(where);
}

// What a refused form has answered stands at the form's address, which is no page.
function address() {
  return document.querySelector('link[rel="canonical"]')?.href ?? location.href;
}

// While the portal does not answer, what is shown is old, and the page says so.
function tell(isAnswered) {
  const line = document.getElementById("unreachable");
  if (line) line.hidden = isAnswered;
}

function replaceIn(fresh) {
  let hasChanged = false;
  for (const part of document.querySelectorAll("[data-part]")) {
    const name = CSS.escape(part.dataset.part);
    const newer = fresh.querySelector(`[data-part="${name}"]`);
    if (!newer || isBusy(part) || isKept(part, newer)) continue;
    keepUnfolded(newer, part);
    if (newer.isEqualNode(part)) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    put(newer, part);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    hasChanged = true;
  }
  if (hasChanged) document.dispatchEvent(new CustomEvent("kqi:renewed"));
}

// What somebody has unfolded, or folded, stays so.
function keepUnfolded(newer, part) {
  for (const { id, open } of part.querySelectorAll("details[id]")) {
    const same = newer.querySelector(`details[id="${CSS.escape(id)}"]`);
    if (same) same.open = open;
  }
}

// The element itself stays: what screen readers listen to must not be exchanged.
function put(newer, part) {
  for (const { name } of [...part.attributes]) {
    if (!newer.hasAttribute(name)) part.removeAttribute(name);
  }
  for (const { name, value } of newer.attributes) part.setAttribute(name, value);
  const ticked = [...part.querySelectorAll("input[data-pick]:checked")].map((one) => one.id);
  part.replaceChildren(...document.adoptNode(newer).childNodes);
  for (const id of ticked) {
    const box = document.getElementById(id);
    if (box) box.checked = true;
  }
}

// What somebody types into, or has just sent, stays as it is; what is being pressed, until
// it is let go: half a click reaches nothing. A box that was ticked has the focus, too, and
// is drawn anew: what is ticked stays so.
function isBusy(part) {
  if (part.querySelector(":active")) {
    setTimeout(renew, PRESSED_MS);
    return true;
  }
  return Boolean(
    part.querySelector("input:not([type=checkbox]):focus, textarea:focus, select:focus, form[data-sent], dialog[open]"),
  );
}

// What a script has filled in (data-kept="of what") stays until it is about another.
function isKept(part, newer) {
  return "kept" in part.dataset && part.dataset.kept === newer.dataset.kept;
}

export function keepRenewed() {
  document.addEventListener("kqi:changed", renew);
  setInterval(() => {
    if (document.visibilityState === "visible") renew();
  }, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") renew();
  });
}

if (document.querySelector("[data-part]")) keepRenewed();
