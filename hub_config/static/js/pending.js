// A page of the hub that waits for something to start or stop. It asks, and is opened
// anew only when there is something else to see: a page that opens itself anew all the
// time throws whoever reads it back to its beginning.
const EVERY_MS = 2000;
const xsrf = document.querySelector('meta[name="xsrf-token"]')?.content ?? "";

async function isOver() {
  const headers = { "X-XSRFToken": xsrf };
  try {
    const answer = await fetch(location.href, { headers, redirect: "manual" });
    return answer.status !== 200 || !(await answer.text()).includes("data-pending");
  } catch {
    return false; // The hub is away for a moment.
  }
}

async function look() {
  if (await isOver()) location.reload();
  else setTimeout(look, EVERY_MS);
}

if (document.querySelector("[data-pending]")) setTimeout(look, EVERY_MS);
