// What the list of all jobs needs.
import "../live.js";
import "../parts.js";
import "../notebooks/filter.js";
