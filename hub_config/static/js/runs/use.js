// What a run uses over time, as its own job notes it: drawn, and as a table.
import { fill, momentText, number } from "../figures.js";
import { wait } from "../agent.js";
import { agentOf, insist, parts, runPath } from "./live.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [600, 80];
const SOON_MS = 5_000;
const LATER_MS = 60_000;
const ROWS = 24;
const MB_IN_GB = 1024;
const [EPOCH, CORES, MEMORY, GPU, GPU_MEMORY] = [0, 1, 2, 3, 4];

function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function html(name, text, className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

// The figures that this run has, each with what was asked for of it; 0: no such number.
function figuresOf({ cpus, memory, gpus, ...words }) {
  const found = [
    { at: CORES, name: words.cores, asked: Number(cpus), by: 1 },
    { at: MEMORY, name: words.held, asked: Number(memory) / MB_IN_GB, by: MB_IN_GB },
  ];
  if (!Number(gpus)) return found;
  return [
    ...found,
    { at: GPU, name: words.gpu, asked: 0, by: 1, full: 100 },
    { at: GPU_MEMORY, name: words.gpuheld, asked: 0, by: MB_IN_GB },
  ];
}

// The line of a figure: moments from left to right, none where nothing was told.
function points(lines, figure, top) {
  const from = lines[0][EPOCH];
  const length = Math.max(1, lines.at(-1)[EPOCH] - from);
  return lines
    .filter((one) => one[figure.at] !== null)
    .map((one) => {
      const x = ((one[EPOCH] - from) / length) * WIDTH;
      const y = HEIGHT - (one[figure.at] / figure.by / top) * (HEIGHT - 4) - 1;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
}

function chart(lines, figure, words) {
  const values = lines.map((one) => one[figure.at]).filter((one) => one !== null);
  if (!values.length) return null;
  const rounded = (value) => number(Math.round(value * 100) / 100);
  const most = Math.max(...values) / figure.by;
  const top = Math.max(most, figure.asked, figure.full ?? 0) || 1;
  const now = rounded(values.at(-1) / figure.by);
  const told = [
    fill(words.live ? words.now : words.past, { now, most: rounded(most) }),
    figure.asked ? fill(words.asked, { asked: rounded(figure.asked) }) : "",
  ].filter(Boolean).join(" · ");
  const drawn = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `${figure.name}: ${told}`,
  });
  const line = points(lines, figure, top);
  const [first] = line[0].split(",");
  const [last] = line.at(-1).split(",");
  const area = [`${first},${HEIGHT}`, ...line, `${last},${HEIGHT}`];
  drawn.append(svg("polygon", { points: area.join(" ") }));
  if (figure.asked) {
    const y = HEIGHT - (figure.asked / top) * (HEIGHT - 4) - 1;
    drawn.append(svg("line", { x1: 0, x2: WIDTH, y1: y, y2: y }));
  }
  drawn.append(svg("polyline", { points: line.join(" ") }));
  const box = html("div", "", "use-chart");
  const head = html("p", "", "small");
  head.append(html("strong", figure.name), ` ${told}`);
  box.append(head, drawn);
  return box;
}

// About so many of the lines, the last one too.
function thinned(lines) {
  const step = Math.ceil(lines.length / ROWS);
  return lines.filter((_, at) => (lines.length - 1 - at) % step === 0);
}

function table(part, lines, figures) {
  const [time] = part.querySelectorAll("[data-heads] th");
  const heads = figures.map(({ name }) =>
    Object.assign(html("th", name, "is-number"), { scope: "col" }));
  part.querySelector("[data-heads]").replaceChildren(time, ...heads);
  const rows = thinned(lines).map((one) => {
    const row = html("tr", "");
    const cells = figures.map(({ at, by }) =>
      html("td", one[at] === null ? "" : number(Math.round((one[at] / by) * 100) / 100), "is-number"));
    row.append(Object.assign(html("th", momentText(one[EPOCH])), { scope: "row" }), ...cells);
    return row;
  });
  part.querySelector("[data-rows]").replaceChildren(...rows);
}

function show(part, lines) {
  // One line has no length.
  if (lines.length < 2) return;
  const words = part.dataset;
  const figures = figuresOf(words).filter(({ at }) => lines.some((one) => one[at] !== null));
  const charts = figures.map((figure) => chart(lines, figure, words));
  part.querySelector("[data-charts]").replaceChildren(...charts);
  const times = { from: momentText(lines[0][EPOCH]), to: momentText(lines.at(-1)[EPOCH]) };
  part.querySelector("[data-times-line]").textContent = fill(words.times, times);
  table(part, lines, figures);
  part.hidden = false;
}

// The job looks ever more rarely, and so do we.
function pause(lines) {
  const gap = lines.length > 1 ? lines.at(-1)[EPOCH] - lines.at(-2)[EPOCH] : 0;
  return Math.min(LATER_MS, Math.max(SOON_MS, gap * 1000));
}

async function follow(part) {
  const agent = agentOf(part);
  const lines = [];
  while (part.isConnected) {
    if (document.visibilityState === "visible") {
      const known = lines.at(-1)?.[EPOCH] ?? 0;
      const way = `${runPath(part)}/use?since=${Math.floor(known)}`;
      const found = await insist(part, () => agent.json(way));
      const news = found.lines.filter((one) => one[EPOCH] > known);
      lines.push(...news);
      if (news.length) show(part, lines);
      if (!part.dataset.live) return;
    }
    await wait(pause(lines));
  }
}

// What cannot be read is not shown: the page says the rest all the same.
parts("use", (part) => follow(part).catch(() => {}));
