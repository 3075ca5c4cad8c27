// What the list of notebooks needs.
import "../parts.js";
import "./filter.js";
import "./opening.js";
