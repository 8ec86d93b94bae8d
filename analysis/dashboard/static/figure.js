// Draws one number: its value, how it changed, and its course.

import { drawing, element } from "./element.js";
import { change, write } from "./format.js";
import { text } from "./texts/texts.js";

const WIDTH = 120;
const HEIGHT = 28;

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** The course as a line; the part that is not complete is dashed. */
const sparkline = (course) => {
  const at = Object.fromEntries(course.columns.map(({ name }, i) => [name, i]));
  const rows = course.rows.filter((row) => row[at.value] !== null);
  if (rows.length < 2) return null;
  const values = rows.map((row) => Number(row[at.value]));
  const most = Math.max(...values, 0) || 1;
  const points = values.map((value, i) =>
    [(i / (values.length - 1)) * (WIDTH - 4) + 2, HEIGHT - 2 - (value / most) * (HEIGHT - 4)]);
  const solid = points.filter((_point, i) => rows[i][at.is_complete]);
  const dashed = points.slice(1).flatMap((point, i) =>
    (rows[i][at.is_complete] && rows[i + 1][at.is_complete] ? [] : [path([points[i], point])]));
  return drawing("svg", { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true",
    preserveAspectRatio: "none" },
  solid.length ? drawing("path", { d: path(solid) }) : null,
  dashed.length ? drawing("path", { class: "incomplete", d: dashed.join("") }) : null);
};

/** The parts of a figure. */
export const figure = ({ value, previous, isCompared, format, currency, course }) => {
  const parts = [element("p", { class: "value" }, write(value, format, currency))];
  if (isCompared) {
    const changed = change(value, previous, format);
    const direction = changed === null || changed.difference === 0 ? "same" : changed.difference > 0 ? "up" : "down";
    const arrow = { up: "▲ ", down: "▼ ", same: "" }[direction];
    // More time is neither good nor bad.
    parts.push(element("p", { class: "change", "data-direction": format === "seconds" ? "same" : direction },
      element("span", {}, changed === null ? "–" : `${arrow}${changed.text}`),
      element("small", {}, text("previous", { value: write(previous, format, currency) }))));
  }
  if (course) parts.push(sparkline(course));
  return parts.filter(Boolean);
};
