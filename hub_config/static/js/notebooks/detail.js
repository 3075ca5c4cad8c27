// What the page of one notebook needs.
import "../parts.js";
import "./opening.js";
import "./log.js";
