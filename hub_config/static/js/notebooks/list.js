// What the list of notebooks needs.
import "../live.js";
import "../parts.js";
import "./filter.js";
import "./opening.js";
