// Makes elements of the page. Text becomes text nodes, never markup.

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

/** Text of others, cut by its style where it does not fit, and whole in its title. */
export const othersText = (className, text, attributes = {}) =>
  element("span", { class: `others ${className}`, title: text, ...attributes }, text ?? "");

/** Set text only where it changed, so that nothing is selected or read out anew. */
export const setText = (target, text) => {
  if (target.textContent !== String(text)) target.textContent = text;
};
