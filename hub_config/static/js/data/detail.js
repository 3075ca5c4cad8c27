// The page of one data item.
import "./preview.js";
import "./uploads.js";
