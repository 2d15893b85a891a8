// Three charts over time under one cursor. Gaps stay gaps; limits and moments are labelled lines.
import uPlot from "uplot";
import { now } from "./clock.js";
import { NONE, figure, time } from "./format.js";
import { LABEL_FONT, colour, drawLimits, drawMoments } from "./marks.js";

const HEIGHT = 244;
const AT_LEAST_S = 60;
const AT_LEAST_OVER_S = 5;
const ROOM = 1.12;
const WHOLE = [1, 10, 100, 1000, 10_000].flatMap((power) => [power, 2 * power, 5 * power]);

/** `limits` from limits.js; `moments()` gives [{at, text}], `at` in seconds since 1970. */
export function makeCharts({ root, seconds, limits, moments, isLive }) {
  const described = describe(limits);
  let charts = [];

  const build = () => {
    charts.forEach((chart) => chart.destroy());
    charts = described.map((wanted) => {
      const place = root.querySelector(`[data-chart=${wanted.name}]`);
      return new uPlot(options(wanted, place.clientWidth, { moments, isLive }), data(wanted), place);
    });
  };
  const data = (wanted) => seconds.columns(...wanted.series.map((series) => series.field));
  const draw = () => {
    charts.forEach((chart, index) => {
      chart.setData(data(described[index]));
      sayLatest(chart);
    });
  };
  const resize = () => {
    for (const chart of charts) {
      const width = chart.root.parentElement.clientWidth;
      if (width && width !== chart.width) chart.setSize({ width, height: HEIGHT });
    }
  };

  build();
  new ResizeObserver(resize).observe(root);
  const rebuild = () => {
    build();
    draw();
  };
  document.addEventListener("theme", rebuild);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", rebuild);
  return { draw };
}

function describe(limits) {
  return [
    {
      name: "rate",
      limits: [limits.rps],
      series: [
        { field: "rps", label: "requests/s", colour: "--series-1", width: 2, fill: 0.12 },
        { field: "failed", label: "errors/s", colour: "--blocked", width: 1.5, fill: 0.45 },
      ],
    },
    {
      name: "latency",
      limits: [limits.p50, limits.p95, limits.p99],
      series: [
        { field: "p50", label: "p50", colour: "--series-3", width: 1.5 },
        { field: "p95", label: "p95", colour: "--series-1", width: 2 },
        { field: "p99", label: "p99", colour: "--series-2", width: 1.5, dash: [5, 3] },
      ],
    },
    {
      name: "users",
      limits: [],
      isWhole: true,
      series: [
        { field: "users", label: "users", colour: "--series-4", width: 2, fill: 0.12, steps: true },
      ],
    },
  ];
}

function options({ series, limits, isWhole }, width, { moments, isLive }) {
  const shown = limits.filter(Boolean);
  return {
    width,
    height: HEIGHT,
    padding: [18, 28, 0, 0],
    cursor: { y: false, sync: { key: "run" }, drag: { x: true, y: false }, points: { size: 7 } },
    legend: { markers: { width: 0, fill: (_, index) => legendColour(series, index) } },
    scales: { x: { time: true, range: rangeOver(moments, isLive) }, y: { range: rangeY } },
    axes: [
      axis({ size: 30, space: 80, values: (_, ticks) => ticks.map(clockAt) }),
      axis({ size: 52, values: (_, ticks) => ticks.map(figure), ...(isWhole && { incrs: WHOLE }) }),
    ],
    series: [{ label: "at", value: (_, at) => (at ? clockAt(at) : NONE) }, ...series.map(line)],
    hooks: {
      draw: [(chart) => drawLimits(chart, shown), (chart) => drawMoments(chart, moments())],
      setCursor: [(chart) => chart.cursor.left < 0 && sayLatest(chart)],
    },
  };
}

function clockAt(at) {
  return time(at * 1000, "clock");
}

function axis(more) {
  return {
    stroke: colour("--muted"),
    font: LABEL_FONT,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    ...more,
  };
}

function line({ label, colour: name, width, fill, dash, steps }) {
  return {
    label,
    stroke: colour(name),
    width,
    dash,
    fill: fill && colour(name, fill),
    paths: steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
    points: { show: true, size: 5, filter: lonely },
    value: (_, value) => figure(value),
  };
}

/** Only a second between two gaps needs a dot: no line leads to it. */
function lonely(chart, index) {
  const values = chart.data[index];
  const isSeen = (value) => value !== null && value !== undefined;
  return values.flatMap((value, at) => {
    return isSeen(value) && !isSeen(values[at - 1]) && !isSeen(values[at + 1]) ? [at] : [];
  });
}

function legendColour(series, index) {
  return index ? colour(series[index - 1].colour) : "transparent";
}

/** A live run has room for a minute; the end of one that is over is in view; a zoom stays. */
function rangeOver(moments, isLive) {
  return (chart, from, to) => {
    if (from === null) return [now() / 1000, now() / 1000 + AT_LEAST_S];
    const times = chart.data[0];
    if (from !== times[0] || to !== times.at(-1)) return [from, to];
    const ends = moments().map(({ at }) => at + 1);
    return [from, Math.max(to, from + (isLive() ? AT_LEAST_S : AT_LEAST_OVER_S), ...ends)];
  };
}

function rangeY(_, __, highest) {
  return [0, Math.max(1, (highest ?? 0) * ROOM)];
}

/** Where no cursor is, the legend tells the newest second, the same in all charts as in the tiles. */
function sayLatest(chart) {
  if (chart.cursor.left >= 0) return;
  const index = chart.data[0].length - 1;
  if (index >= 0) chart.setLegend({ idx: index }, false);
}
