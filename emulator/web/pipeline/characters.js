// Shows characters that cannot be seen, or that turn the text around them, by their code. The text stays the same.

import { element } from "./element.js";

// Controls but tab and line feed, and marks of direction.
const HIDDEN = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])/;

const codeOf = (character) => `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

// Each is isolated from what is around it: its effect ends with it.
const isolated = (character) =>
  element("span", { class: "hidden-character", "data-code": codeOf(character) }, character);

/** The text as nodes. */
export const visible = (text) => text.split(HIDDEN).map((part, i) => (i % 2 ? isolated(part) : part));
