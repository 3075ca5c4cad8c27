// What every page has: each module looks for its own marks in the page.
import "./choices.js";
import "./copy.js";
import "./dialogs.js";
import "./forms.js";
import "./menus.js";
import "./shortcuts.js";
import "./tables.js";
import "./tabs.js";
