// The menu of saved views. One replaces the view on the screen, but for the language; a segment changes parts of it.

import { element, select } from "../element.js";
import { text } from "../texts/texts.js";
import { go, query } from "../view.js";

/** The menu of saved views, and what is wrong with bad files. */
export const savedMenu = ({ saved, savedProblems, view }) => {
  const names = saved.map(({ name }, i) => [String(i), name]);
  const open = ({ view: parts, isSegment }) => {
    const others = isSegment ? [] : [...new URLSearchParams(query()).keys()].map((name) => [name, null]);
    go({ ...Object.fromEntries(others), lang: view.language, ...parts });
  };
  const menu = names.length
    ? [select("saved", text("saved"), [["", text("chooseValue")], ...names], "", (i) => i && open(saved[i]))]
    : [];
  return [...menu, ...savedProblems.map((problem) => element("p", { class: "problem" }, problem))];
};
