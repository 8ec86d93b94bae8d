// Draws a table: formatted, never cut off, and with cells that filter.

import { element } from "./element.js";
import { named, period, write } from "./format.js";
import { canShow, cut } from "./stream.js";
import { has, text } from "./texts/texts.js";
import { addFilter, address, canFilter, changed, go, leading } from "./view.js";

const NUMBERS = new Set(["count", "share", "money", "seconds", "change"]);

const heading = (name) => (has(`columns.${name}`) ? text(`columns.${name}`) : name.replaceAll("_", " "));

const written = ({ name, kind }, value, { grain, currency }) => {
  if (name === "period" && value !== null && grain) return period(value, grain);
  return String(named(name, write(value, kind, currency)));
};

/** A button that sets an option of the page to the value of another column. */
const setter = (shown, [option, key], row, table) => {
  const value = String(row[table.columns.findIndex(({ name }) => name === key)]);
  if (!canShow({ [option]: value })) return element("bdi", {}, shown);
  return element("button", { type: "button", class: "link", title: text(`options.${option}`),
    onclick: () => go({ [option]: value }) }, element("bdi", {}, shown));
};

/** A link to another view; `{columns}` of its changes are the row's values. */
const link = (shown, changes, row, table) => {
  const value = (_all, each) => row[table.columns.findIndex(({ name }) => name === each)];
  const filled = leading(Object.fromEntries(Object.entries(changes)
    .map(([name, template]) => [name, template ? template.replace(/\{(\w+)\}/g, value) : null])));
  if (!canShow(filled)) return element("bdi", {}, shown);
  return element("a", { href: address(changed(filled)), onclick: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(filled);
  } }, element("bdi", {}, shown));
};

/** The buttons of a list in pages. */
const pages = (following) => {
  if (!canShow({ place: following })) return null;
  const isFirst = !new URLSearchParams(changed({})).has("place");
  if (isFirst && !following) return null;
  const button = (name, place, disabled) =>
    element("button", { type: "button", disabled, "data-page": name, onclick: () => go({ place }) }, text(name));
  return element("p", { class: "pages" },
    button("firstPage", null, isFirst), button("nextPage", following, !following));
};

// Text of events is isolated, so that it cannot turn the text around it.
const cell = (column, value, row, table, { filters, sets, links }, setting) => {
  const shown = written(column, value, setting);
  if (sets[column.name] && value !== null) return setter(shown, sets[column.name], row, table);
  if (links[column.name] && value !== null) return link(shown, links[column.name], row, table);
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
export const table = (frame, content) => {
  const { filters = {}, sets = {}, links = {}, following = null, bars = null, caption, ...setting } = content;
  const turn = following === null ? null : pages(following);
  if (!frame.rows.length) return element("div", {}, element("p", { class: "empty" }, text("empty")), turn);
  const barred = frame.columns.findIndex(({ name }) => name === bars);
  const most = barred < 0 ? 0 : Math.max(...frame.rows.map((row) => Number(row[barred])));
  const isNumber = frame.columns.map(({ kind }) => NUMBERS.has(kind));
  const money = frame.columns.findIndex(({ name }) => name === "currency");
  const rows = frame.rows.map((row) => element("tr", {}, ...frame.columns.map((column, i) => {
    const own = { ...setting, currency: money >= 0 ? row[money] : setting.currency };
    const shown = cell(column, row[i], row, frame, { filters, sets, links }, own);
    const bar = i === 0 && most > 0 ? meter(Number(row[barred]) / most) : null;
    return element(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: isNumber[i] ? "number" : null,
      "data-column": column.name }, bar, shown);
  })));
  const head = element("tr", {}, ...frame.columns.map(({ name }, i) =>
    element("th", { scope: "col", class: isNumber[i] ? "number" : null }, heading(name))));
  const isCut = frame.height > frame.rows.length;
  return element("div", { class: "table", tabindex: "0", role: "group", "aria-label": caption },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    isCut ? element("p", { class: "hint" }, text(cut, { shown: frame.rows.length, all: frame.height })) : null,
    turn);
};
