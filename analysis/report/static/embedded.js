// Gives the views that a report holds. A report has this module in the place of stream.js, which asks a server.

import { byId } from "../../dashboard/static/element.js";

const FORMULA = /^[=+\-@\t\r]/;
const TIMES = new Set(["time", "second", "day"]);

export const name = "report";
export const mark = "#";
export const cut = "rowsOnly";

const held = JSON.parse(byId("answers").textContent);

/** The page of an address, and the value of each of its options; what the report does not hold is the default. */
const chosen = (query) => {
  const given = new URLSearchParams(query);
  const page = Object.hasOwn(held.pages, given.get("page")) ? given.get("page") : Object.keys(held.pages)[0];
  const options = Object.entries(held.pages[page].head.options).map(([option, values]) =>
    [option, values.includes(given.get(option)) ? given.get(option) : values[0]]);
  return { page, options: Object.fromEntries(options), language: given.get("lang") === "vi" ? "vi" : "en" };
};

/** Whether the report holds the view with changes of the address. */
export const canShow = (changes) => {
  const page = changes.page ?? chosen(location.hash.slice(1)).page;
  const options = held.pages[page]?.head.options;
  return options !== undefined && Object.entries(changes).every(([each, value]) =>
    ["page", "lang"].includes(each) || options[each]?.includes(value));
};

/** Call `each` with each line of a view, as the server gives them. */
export const stream = (query, _signal, _isAnew, each) => {
  const { page, options, language } = chosen(query);
  const { head, answers } = held.pages[page];
  const spelled = new URLSearchParams({ page, ...options, ...(language !== "en" && { lang: language }) }).toString();
  const view = { ...head.view, options, language };
  each({ head: { ...head, view, query: spelled, fixed: spelled, tabs: {}, facts: held.facts } });
  for (const place of answers[Object.values(options).join(" ")]) each(held.kept[place]);
  each({ done: true });
};

/** A panel's figures as text to copy: `sql` or `python`. */
export const textOf = (_panel, language, _query, content) => held.kept[content.texts[language]];

const written = (value, { kind }) => {
  if (value === null) return "";
  const text = TIMES.has(kind) ? new Date(value).toISOString() : String(value);
  const harmless = typeof value === "string" && FORMULA.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

const csv = ({ columns, rows }) => [
  columns.map((column) => column.name).join(","),
  ...rows.map((row) => row.map((value, i) => written(value, columns[i])).join(",")),
  "",
].join("\n");

/** The table of a figure: its value, and what it was. */
const tableOf = ({ table, column, format, value, previous, isCompared }) => table ?? {
  columns: [{ name: column, kind: format }, ...(isCompared ? [{ name: "previous", kind: format }] : [])],
  rows: [[value, ...(isCompared ? [previous] : [])]],
};

/** The files of a panel's figures: the attributes of a link to each, by format. */
export const files = (panel, content) => {
  const file = new Blob([csv(tableOf(content))], { type: "text/csv" });
  return { csv: { href: URL.createObjectURL(file), download: `${panel}.csv` } };
};
