// What the form that asks for a run needs.
import "../notebooks/environments.js";
import "../notebooks/form.js";
import "./drafts.js";
import "./git.js";
import "./images.js";
import "./offered.js";
import "./seen_paths.js";
import "./steps.js";
