// The menu of saved views. One replaces the view on the screen, but for the language; a segment changes parts of it.

import { byId, element, select } from "../element.js";
import { text } from "../texts/texts.js";
import { go, query } from "../view.js";

const COPY = "copy";

const copy = (file) => navigator.clipboard.writeText(file)
  .then(() => "copiedView", () => "notCopied")
  .then((said) => { byId("status").textContent = text(said); });

/** The menu of saved views, and what is wrong with bad files; its last choice copies the view as such a file. */
export const savedMenu = ({ saved, savedProblems, savedText, view }) => {
  const names = saved.map(({ name }, i) => [String(i), name]);
  const open = ({ view: parts, isSegment }) => {
    const others = isSegment ? [] : [...new URLSearchParams(query()).keys()].map((name) => [name, null]);
    go({ ...Object.fromEntries(others), lang: view.language, ...parts });
  };
  const choices = [["", text("chooseValue")], ...names, [COPY, text("copyView")]];
  const menu = select("saved", text("saved"), choices, "", (chosen) => {
    if (chosen === COPY) {
      copy(savedText);
      menu.querySelector("select").value = "";
    } else if (chosen) open(saved[chosen]);
  });
  return [menu, ...savedProblems.map((problem) => element("p", { class: "problem" }, problem))];
};
