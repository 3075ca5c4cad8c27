// Bars over time that answer to the pointer: what each says, and days to look at closer.
//
// The server's picture, which this stands in for, stays for paper, and its table for the
// keyboard and for readers of screens. What cannot be fetched changes nothing.
const HEIGHT = 200;
const NARROW = 480;
// Less than this is a click and no choice of days.
const DRAGGED = 8;

function colour(name) {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function read(part) {
  const bars = [...part.querySelectorAll("svg rect")].map((one) => ({
    ...one.dataset,
    said: one.textContent,
  }));
  const per = Number(part.dataset.per);
  const values = bars.map((one) => Number(one.value) / per);
  const limits = part.dataset.limits?.split(" ").map(Number);
  return { bars, columns: [bars.map((_, place) => place), values, ...(limits ? [limits] : [])] };
}

// The days from one bar to another, on the page that one looks at.
function narrow(bars, from, to) {
  const last = bars.length - 1;
  const within = (place) => bars[Math.min(last, Math.max(0, place))];
  const there = new URL(location.href);
  there.searchParams.delete("period");
  there.searchParams.set("since", within(from).since);
  there.searchParams.set("until", within(to).until);
  location.assign(there);
}

function options(uPlot, part, bars, width) {
  const figures = new Intl.NumberFormat(document.documentElement.lang, {
    notation: "compact",
    maximumSignificantDigits: 3,
  });
  const said = part.querySelector("[data-said]");
  const axis = { stroke: colour("--ink-soft"), ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { time: false, range: [-0.5, bars.length - 0.5] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.05 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: width < NARROW ? 110 : 90,
        incrs: [1, 2, 3, 5, 7, 10, 14, 30, 60, 100, 200, 400],
        values: (_, places) => places.map((place) => bars[place]?.label ?? ""),
      },
      {
        ...axis,
        size: 60,
        grid: { stroke: colour("--line"), width: 1 },
        values: (_, values) => values.map((one) => figures.format(one)),
      },
    ],
    series: [
      {},
      { fill: colour("--accent"), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 64] }) },
      { stroke: colour("--line-strong"), dash: [4, 4], points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
    ],
    hooks: {
      setCursor: [(chart) => {
        if (chart.cursor.idx !== null) said.textContent = bars[chart.cursor.idx]?.said ?? "";
      }],
      setSelect: [(chart) => {
        const { left, width: wide } = chart.select;
        if (wide < DRAGGED) return;
        narrow(bars, Math.round(chart.posToVal(left, "x")), Math.round(chart.posToVal(left + wide, "x")));
      }],
    },
  };
}

function styled(address) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = address;
  return new Promise((done, fail) => {
    style.addEventListener("load", done);
    style.addEventListener("error", () => fail(new Error(address)));
    document.head.append(style);
  });
}

async function enliven(part) {
  const { bars, columns } = read(part);
  if (!bars.length) return;
  const [{ default: uPlot }] = await Promise.all([import(part.dataset.uplot), styled(part.dataset.css)]);
  const place = document.createElement("div");
  // The table has the same figures for whoever does not see it.
  place.setAttribute("aria-hidden", "true");
  part.querySelector("svg").after(place);
  const wide = () => place.clientWidth;
  const made = options(uPlot, part, bars, wide());
  made.series.length = columns.length;
  const chart = new uPlot(made, columns, place);
  part.classList.add("is-alive");
  part.querySelector(".chart-said").hidden = false;
  new ResizeObserver(() => {
    if (wide() && wide() !== chart.width) chart.setSize({ width: wide(), height: HEIGHT });
  }).observe(place);
  new MutationObserver(() => chart.redraw(false)).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme", "data-theme"],
  });
}

for (const part of document.querySelectorAll("[data-usage-chart]")) {
  enliven(part).catch((error) => console.info("The picture stays as it is:", error.message));
}
