// The editor of a funnel's steps: adds, removes and moves them. It changes the address, and nothing else.

import { element, select } from "../element.js";
import { write } from "../format.js";
import { text } from "../texts/texts.js";
import { go } from "../view.js";

// What gets the focus when the new view is drawn: the keyboard goes on where it was.
let wanted = null;

const spelled = (names) => names.map(encodeURIComponent).join(",");

const change = (names, usual, focus) => {
  wanted = focus;
  go({ steps: spelled(names) === spelled(usual) ? null : spelled(names), step: null });
};

const without = (names, at) => names.filter((_name, i) => i !== at);

const moved = (names, from, to) => without(names, from).toSpliced(to, 0, names[from]);

/** One step, with its number, how often its event occurs, and its buttons. */
const item = (name, at, { chosen, candidates, usual, least }) => {
  const count = candidates.find(([each]) => each === name)?.[1] ?? 0;
  const button = (action, sign, disabled, names) => element("button", { type: "button", disabled,
    "aria-label": text(`${action}Step`, { name }), title: text(`${action}Step`, { name }), "data-action": action,
    "data-step": name, onclick: () => change(names, usual, { action, name }) }, sign);
  return element("li", {},
    element("span", {}, `${at + 1}. `, element("bdi", {}, name), " ", element("small", {}, write(count, "count"))),
    element("span", { class: "buttons" },
      button("earlier", "←", at === 0, moved(chosen, at, Math.max(at - 1, 0))),
      button("later", "→", at === chosen.length - 1, moved(chosen, at, at + 1)),
      button("remove", "✕", chosen.length <= least, without(chosen, at))));
};

/** The menu of further events, with a button: a menu alone would add each event that the arrow keys pass. */
const adding = ({ chosen, candidates, usual, most }) => {
  const others = candidates.filter(([name]) => !chosen.includes(name));
  if (!others.length || chosen.length >= most) return null;
  const choices = others.map(([name, count]) => [name, `${name} (${write(count, "count")})`]);
  const menu = select("step", text("nextStep"), choices, choices[0][0], () => null);
  return element("div", { class: "add" }, menu, element("button", { type: "button", "data-action": "add",
    onclick: () => change([...chosen, menu.querySelector("select").value], usual, { action: "add" }) },
  text("addStep")));
};

const focusIn = (place) => {
  const { action, name } = wanted;
  wanted = null;
  // Whoever has gone elsewhere since stays there.
  if (document.activeElement !== document.body) return;
  const buttons = [...place.querySelectorAll("button:not(:disabled)")];
  const found = buttons.find(({ dataset }) => dataset.action === action && dataset.step === name)
    ?? buttons.find(({ dataset }) => name !== undefined && dataset.step === name) ?? buttons.at(-1);
  found?.focus();
};

/** Draw the editor into a place. */
export const drawSteps = (place, content) => {
  place.replaceChildren(...[element("ol", { class: "steps" },
    ...content.chosen.map((name, at) => item(name, at, content))), adding(content)].filter(Boolean));
  if (wanted) focusIn(place);
};
