// The counters, the durations from end to end, and the events per second of the last minute.

import { byId, drawing, element, setText } from "../element.js";
import { duration } from "../trace.js";

const SECONDS = 60;
const [WIDTH, HEIGHT] = [120, 28];
const COUNTERS = [
  ["accepted", "accepted"],
  ["rows", "rows"],
  ["waiting", "waiting"],
  ["failing", "failing"],
  ["duplicates", "duplicates"],
  ["late", "late"],
  ["rejected", "rejected"],
  ["refused", "refused"],
  ["eventsPerSecond", "events/s"],
  ["p50Ms", "p50", " end to end"],
  ["p95Ms", "p95", " end to end"],
];
const rates = [];
const values = new Map();

const textOf = (name, value) => {
  if (value === null || value === undefined) return "–";
  if (name.endsWith("Ms")) return duration(value);
  return name === "eventsPerSecond" ? value.toFixed(1) : value.toLocaleString("en");
};

const counter = ([name, title, more]) => {
  const value = element("dd", { "data-count": name }, "–");
  const rest = more ? element("span", {}, more) : null; // left out where there is no room
  values.set(name, value);
  return element("div", {}, element("dt", { title: more ? title + more : null }, title, rest), value);
};

const drawRates = () => {
  const most = Math.max(1, ...rates);
  const x = (i) => WIDTH - ((rates.length - 1 - i) * WIDTH) / (SECONDS - 1);
  const y = (rate) => HEIGHT - 1 - (rate / most) * (HEIGHT - 3);
  const line = rates.map((rate, i) => `${x(i).toFixed(1)},${y(rate).toFixed(1)}`).join(" ");
  const area = `${x(0).toFixed(1)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`;
  byId("sparkline").replaceChildren(drawing("polygon", { points: area }), drawing("polyline", { points: line }));
  byId("sparkline").ariaLabel = `Events per second over the last minute, at most ${most.toFixed(1)}`;
};

/** Show the statistics, which come once a second. */
export const showFigures = (stats) => {
  for (const [name, value] of values) {
    setText(value, textOf(name, stats[name]));
    value.parentElement.dataset.isZero = !stats[name];
  }
  rates.push(stats.eventsPerSecond);
  if (rates.length > SECONDS) rates.shift();
  drawRates();
};

/** Put the counters into the page. */
export const createFigures = () => byId("counters").append(...COUNTERS.map(counter));
