// The warehouse row of an event: each column's value, and which member of the event it came from.

import { element, visible } from "../element.js";

const valueElement = (value) =>
  value === null
    ? element("span", { class: "null" }, "NULL")
    : element("bdi", { class: "value", title: value }, visible(String(value)));

const fromElement = ({ source, fallback }) => {
  if (source) return element("code", { title: source }, source);
  return element("em", {}, fallback ?? "nothing present");
};

// If there is a row, its values are shown: another object with the same event id may have made it.
const cells = (entry, row) => [
  element("th", { scope: "row", title: entry.column }, entry.column),
  element("td", { class: "type" }, entry.type.toLowerCase()),
  element("td", { class: "column-value" }, valueElement(row ? row[entry.column] ?? null : entry.value)),
  element("td", { class: "from" }, fromElement(entry)),
];

const line = (row) => (entry) =>
  element("tr", { tabindex: 0, "data-column": entry.column, "data-source": entry.source }, cells(entry, row));

const heading = (text) => element("th", { scope: "col" }, text);

/** The table. `onPoint` gets the path of the member under the pointer, or null; `onFollow` that of a clicked one. */
export const rowTable = ({ row, mapping }, { onPoint, onFollow }) => {
  const sourceOf = ({ target }) => target.closest("[data-column]")?.dataset.source ?? null;
  const point = (event) => onPoint(sourceOf(event));
  const follow = (event) => sourceOf(event) && onFollow(sourceOf(event));
  return element("table",
    {
      id: "mapping",
      "data-pending": row === null,
      onmouseover: point,
      onfocusin: point,
      onmouseleave: () => onPoint(null),
      onfocusout: () => onPoint(null),
      onclick: follow,
      onkeydown: (event) => event.key === "Enter" && follow(event),
    },
    element("thead", {}, element("tr", {}, ["column", "type", "value", "from"].map(heading))),
    element("tbody", {}, mapping.map(line(row))));
};
