// What programs write for a terminal, as pieces of text with a class each: colours and
// weights are kept, everything else that steers a terminal is taken out. Nothing of it
// ever becomes markup.
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const TOKENS = new RegExp(
  [
    "\\x1b\\[(?<values>[0-9;:<=>?]*)[ -/]*(?<final>[@-~])",
    "\\x1b\\][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)", // titles and links
    "\\x1b[PX^_][^\\x1b]*\\x1b\\\\",
    "\\x1b[ -/]*[0-~]",
    "(?<end>\\r*\\n)",
    "(?<back>\\r)",
    "(?<text>[^\\x00-\\x08\\x0a-\\x1f\\x7f]+)",
    "[\\x00-\\x1f\\x7f]",
  ].join("|"),
  "g",
);
// What may go on in the next piece; a longer one is no sequence any more.
const HALF =
  /(?:\x1b(?:\[[0-9;:<=>?]*[ -/]*|[\]PX^_][^\x07\x1b]{0,4000}\x1b?|[ -/]*)|\r+)$/;
const LONGEST_HALF = 4096;

// The state of one stream.
export class Ansi {
  constructor() {
    this.rest = "";
    this.style = {};
  }

  // Tell `take` of pieces: text(text, class), end(), back() in their order.
  read(text, take) {
    let whole = this.rest + text;
    const half = HALF.exec(whole)?.[0] ?? "";
    this.rest = half.length < LONGEST_HALF ? half : "";
    if (this.rest) whole = whole.slice(0, -this.rest.length);
    for (const { groups } of whole.matchAll(TOKENS)) {
      if (groups.text) take.text(groups.text, this.name());
      else if (groups.end) take.end();
      else if (groups.back) take.back();
      else if (groups.final === "m") this.steer(groups.values);
    }
  }

  name() {
    const { fore, back, ...is } = this.style;
    const [front, ground] = is.inverse ? [back ?? "ground", fore ?? "front"] : [fore, back];
    const names = ["bold", "faint", "italic", "under"].filter((one) => is[one]);
    if (front) names.push(`fore-${front}`);
    if (ground) names.push(`back-${ground}`);
    return names.map((one) => `ansi-${one}`).join(" ");
  }

  steer(values) {
    const numbers = values.split(/[;:]/).map(Number);
    while (numbers.length) {
      const number = numbers.shift();
      if (number === 38 || number === 48) this.colour(number, numbers);
      else this.style = changed(this.style, number);
    }
  }

  // One of 256, or any: the nearest of the eight, which the page can show in each theme.
  colour(number, rest) {
    const kind = rest.shift();
    const name = kind === 5 ? ofMany(rest.shift()) : kind === 2 ? nearest(rest.splice(0, 3)) : null;
    if (name) this.style = { ...this.style, [number === 38 ? "fore" : "back"]: name };
  }
}

function changed(style, number) {
  const inTens = number % 10;
  if (number === 0) return {};
  if (number === 1) return { ...style, bold: true };
  if (number === 2) return { ...style, faint: true };
  if (number === 3) return { ...style, italic: true };
  if (number === 4) return { ...style, under: true };
  if (number === 7) return { ...style, inverse: true };
  if (number === 22) return { ...style, bold: false, faint: false };
  if (number === 23) return { ...style, italic: false };
  if (number === 24) return { ...style, under: false };
  if (number === 27) return { ...style, inverse: false };
  if (number === 39) return { ...style, fore: undefined };
  if (number === 49) return { ...style, back: undefined };
  const isColour = inTens < 8;
  if (isColour && (between(number, 30, 37) || between(number, 90, 97))) return { ...style, fore: NAMES[inTens] };
  if (isColour && (between(number, 40, 47) || between(number, 100, 107))) return { ...style, back: NAMES[inTens] };
  return style;
}

function between(number, least, most) {
  return number >= least && number <= most;
}

function ofMany(number) {
  if (!between(number, 0, 255)) return null;
  if (number < 16) return NAMES[number % 8];
  if (number >= 232) return nearest(Array(3).fill((number - 232) * 10));
  const cube = number - 16;
  return nearest([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((one) => one * 51));
}

function nearest(channels) {
  if (channels.length < 3 || !channels.every((one) => between(one, 0, 255))) return null;
  const most = Math.max(...channels);
  if (most < 64) return "black";
  const [red, green, blue] = channels.map((one) => one > most / 2);
  return NAMES[Number(red) + 2 * Number(green) + 4 * Number(blue)];
}
