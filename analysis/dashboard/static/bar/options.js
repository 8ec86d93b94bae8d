// The menus of the page's own options.

import { select } from "../element.js";
import { text } from "../texts/texts.js";
import { go } from "../view.js";

const optionText = (name, value) => {
  const own = text(`options.${name}.${value}`);
  return own === value.replaceAll("_", " ") ? text(`columns.${value}`) : own;
};

/** A menu for each option that has values to choose from. */
export const options = ({ options: all, view }) => Object.entries(all)
  .filter(([, values]) => values.length)
  .map(([name, values]) => {
    const shown = values.map((value) => [value, optionText(name, value)]);
    const change = (value) => go({ [name]: value });
    return select(name, text(`options.${name}`), shown, view.options[name] ?? values[0], change);
  });
