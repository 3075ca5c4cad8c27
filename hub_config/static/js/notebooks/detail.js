// What the page of one notebook needs.
import "../live.js";
import "../parts.js";
import "./opening.js";
import "./log.js";
