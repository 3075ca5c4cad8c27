// What the page of one run needs.
import "../live.js";
import "../parts.js";
import "../notebooks/log.js";

// A link to the script opens it.
function open() {
  const target = document.getElementById("script");
  if (target && location.hash === "#script") target.open = true;
}

addEventListener("hashchange", open);
open();
