// Numbers, sizes and times as the page's language writes them, and places to fill.
const language = document.documentElement.lang;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SPANS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const count = new Intl.NumberFormat(language);
const single = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
// Times are the site's: a page that shows some names the zone with data-zone.
const clock = new Intl.DateTimeFormat("sv-SE", {
  timeZone: document.querySelector("[data-zone]")?.dataset.zone || "UTC",
  dateStyle: "short",
  timeStyle: "short",
});

// Put values into the {places} of a sentence.
export function fill(sentence, values) {
  return (sentence ?? "").replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export function number(value) {
  return count.format(value);
}

export function size(bytes) {
  let unit = 0;
  let value = bytes;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${single.format(value)} ${UNITS[unit]}`;
}

export function span(seconds) {
  let left = Math.max(0, Math.floor(seconds));
  const parts = [];
  for (const [unit, length] of SPANS) {
    const value = Math.floor(left / length);
    left %= length;
    if (value || (unit === "second" && !parts.length)) parts.push([unit, value]);
    else if (parts.length) break;
  }
  return parts
    .slice(0, 2)
    .map(([unit, value]) =>
      new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" })
        .format(value))
    .join(" ");
}

// A time, in seconds since 1970 or as a date; what is none is a dash.
export function moment(given) {
  const date = typeof given === "number" ? new Date(given * 1000) : new Date(given ?? "");
  if (given === null || Number.isNaN(date.getTime())) return document.createTextNode("–");
  const time = document.createElement("time");
  time.dateTime = date.toISOString();
  time.textContent = clock.format(date);
  return time;
}

export function momentText(given) {
  return moment(given).textContent;
}

// Every place of an element that is to be filled, by its name.
export function slots(element) {
  const found = {};
  for (const one of element.querySelectorAll("[data-slot]")) {
    found[one.dataset.slot] ??= one;
  }
  return found;
}

export function copyOf(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}
