// The texts of the page, in its language. A name that has none is shown as it is, in words.

import en from "./en.js";
import vi from "./vi.js";

const ALL = { en, vi };
let chosen = en;

/** Choose the language. */
export const choose = (language) => { chosen = ALL[language] ?? en; };

const found = (name) => chosen[name] ?? en[name];

/** Whether there is a text of this name. */
export const has = (name) => found(name) !== undefined;

/** The text of a name, with values in the place of `{names}`. */
export const text = (name, values = {}) =>
  (found(name) ?? name.split(".").pop().replaceAll("_", " ")).replace(/\{(\w+)\}/g, (_all, each) => values[each] ?? "");
