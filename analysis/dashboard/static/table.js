// Draws a table: formatted, never cut off, and with cells that filter.

import { element } from "./element.js";
import { named, period, write } from "./format.js";
import { has, text } from "./texts/texts.js";
import { addFilter, canFilter, go } from "./view.js";

const NUMBERS = new Set(["count", "share", "money", "seconds", "change"]);

const heading = (name) => (has(`columns.${name}`) ? text(`columns.${name}`) : name.replaceAll("_", " "));

const written = ({ name, kind }, value, { grain, currency }) => {
  if (name === "period" && value !== null && grain) return period(value, grain);
  return String(named(name, write(value, kind, currency)));
};

/** A button that sets an option of the page to the value of another column. */
const setter = (shown, [option, key], row, table) => {
  const value = String(row[table.columns.findIndex(({ name }) => name === key)]);
  return element("button", { type: "button", class: "link", title: text(`options.${option}`),
    onclick: () => go({ [option]: value }) }, element("bdi", {}, shown));
};

// Text of events is isolated, so that it cannot turn the text around it.
const cell = (column, value, row, table, { filters, sets }, setting) => {
  const shown = written(column, value, setting);
  if (sets[column.name] && value !== null) return setter(shown, sets[column.name], row, table);
  const filter = filters[column.name];
  // A product's name filters by its id.
  const key = filter === "product" ? "product_id" : column.name;
  const at = table.columns.findIndex(({ name }) => name === key);
  const chosen = filter && at >= 0 ? row[at] : null;
  const content = element("bdi", {}, shown);
  if (!canFilter(filter, chosen)) return content;
  return element("button", { type: "button", class: "link", title: text("filterBy", { value: shown }),
    onclick: () => addFilter(filter, String(chosen)) }, content);
};

const meter = (share) => {
  const bar = element("span", { class: "bar" });
  bar.style.setProperty("--share", share);
  return bar;
};

/** A table of a frame; `setting` has the currency and the grain of its periods. */
export const table = (frame, { filters = {}, sets = {}, bars = null, caption, ...setting }) => {
  if (!frame.rows.length) return element("p", { class: "empty" }, text("empty"));
  const barred = frame.columns.findIndex(({ name }) => name === bars);
  const most = barred < 0 ? 0 : Math.max(...frame.rows.map((row) => Number(row[barred])));
  const isNumber = frame.columns.map(({ kind }) => NUMBERS.has(kind));
  const money = frame.columns.findIndex(({ name }) => name === "currency");
  const rows = frame.rows.map((row) => element("tr", {}, ...frame.columns.map((column, i) => {
    const own = { ...setting, currency: money >= 0 ? row[money] : setting.currency };
    const content = cell(column, row[i], row, frame, { filters, sets }, own);
    const bar = i === 0 && most > 0 ? meter(Number(row[barred]) / most) : null;
    return element(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: isNumber[i] ? "number" : null,
      "data-column": column.name }, bar, content);
  })));
  const head = element("tr", {}, ...frame.columns.map(({ name }, i) =>
    element("th", { scope: "col", class: isNumber[i] ? "number" : null }, heading(name))));
  const isCut = frame.height > frame.rows.length;
  return element("div", { class: "table", tabindex: "0", role: "group", "aria-label": caption },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    isCut ? element("p", { class: "hint" }, text("rows", { shown: frame.rows.length, all: frame.height })) : null);
};
