// What the page of one run needs. A part that comes when the page is renewed brings no
// script of its own, so all are here from the beginning.
import "../live.js";
import "../parts.js";
import "../notebooks/log.js";
import "./attachments.js";
import "./inside.js";
import "./live_log.js";
import "./ports.js";
import "./tensorboard.js";
import "./terminal.js";
import "./use.js";

// A link to the script opens it.
function open() {
  const target = document.getElementById("script");
  if (target && location.hash === "#script") target.open = true;
}

addEventListener("hashchange", open);
open();
