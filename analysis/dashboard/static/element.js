// Makes elements of the page. Text stays text, whoever wrote it.

const SVG = "http://www.w3.org/2000/svg";

const isLeftOut = (value) => value === null || value === undefined || value === false;

const set = (made, name, value) => {
  if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
  else if (!isLeftOut(value)) made.setAttribute(name, value === true ? "" : value);
};

const fill = (made, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) set(made, name, value);
  made.append(...children.flat().filter((child) => !isLeftOut(child)));
  return made;
};

/** An element: attributes by name (null leaves one out), listeners as `onclick`, then its children. */
export const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** The same for a drawing. */
export const drawing = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

/** A select with its label; `choices` are pairs of value and text. */
export const select = (name, label, choices, value, change, attributes = {}) => {
  const options = choices.map(([each, text]) => element("option", { value: each, selected: each === value }, text));
  const own = { name, "aria-label": label, ...attributes, onchange: () => change(chosen.value) };
  const chosen = element("select", own, ...options);
  return element("label", { title: attributes.title }, element("span", {}, label), chosen);
};
