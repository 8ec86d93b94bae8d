// Shows a JSON text: colours by kind, a mark on what ingest added, and a way to find the member of a path.

import { element, visible } from "../element.js";
import { indented, MOST_CHARACTERS } from "./json.js";

const isIngest = (path) => /^_ingest\b/.test(path);

const pieceElement = ({ text, kind, path }) =>
  kind === "punctuation" ? text : element("span", { class: `json-${kind}`, "data-path": path }, visible(text));

// Neighbours go together if both are part of `_ingest`, or neither is.
const grouped = (pieces) => {
  const groups = [];
  for (const piece of pieces) {
    const isInside = isIngest(piece.path);
    if (groups.at(-1)?.isInside !== isInside) groups.push({ isInside, pieces: [] });
    groups.at(-1).pieces.push(piece);
  }
  return groups;
};

const groupElement = ({ isInside, pieces }) =>
  element(isInside ? "mark" : "span", { class: isInside ? "ingest" : null }, pieces.map(pieceElement));

const number = (value) => value.toLocaleString("en");

const notes = (text, { isJson, isCut }) => [
  isJson ? null : text ? "Not JSON: shown as it is." : "Empty.",
  isCut ? `Cut after ${number(MOST_CHARACTERS)} characters; the text has ${number(text.length)}.` : null,
];

/** The text as elements, with a note where it is not JSON or was cut. */
export const jsonElements = (text) => {
  const shown = indented(text);
  return [
    ...notes(text, shown).filter(Boolean).map((note) => element("p", { class: "hint" }, note)),
    element("pre", {}, grouped(shown.pieces).map(groupElement)),
  ];
};

/** The name and the value of a member. Of several with the same name it is the last, which parsers take. */
export const memberElements = (root, path) => {
  const found = [...root.querySelectorAll(`[data-path="${CSS.escape(path)}"]`)];
  const last = found.findLastIndex((each) => each.className === "json-name");
  return last < 0 ? [] : found.slice(last);
};
