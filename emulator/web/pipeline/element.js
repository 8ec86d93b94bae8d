// Makes elements of the page: text stays text, characters that cannot be seen are shown, and buttons copy.

const SVG = "http://www.w3.org/2000/svg";
const SAID_MS = 1500; // how long a button says that it copied

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

/** Text that others wrote. Its style cuts it if it does not fit; the title has all of it. */
export const othersText = (className, text, attributes = {}) =>
  element("span", { class: `others ${className}`, title: text, ...attributes }, text ?? "");

/** Set the text only if it changed: a selection stays, and screen readers do not repeat it. */
export const setText = (target, text) => {
  if (target.textContent !== String(text)) target.textContent = text;
};

// Control characters except tab and line feed, and marks of direction.
// eslint-disable-next-line no-control-regex -- it looks for control characters
const HIDDEN = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])/;

const codeOf = (character) => `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

// Each is isolated, so that it does not affect the text around it.
const isolated = (character) =>
  element("span", { class: "hidden-character", "data-code": codeOf(character) }, character);

/** The text as nodes, with the codes of hidden characters. The text itself stays the same. */
export const visible = (text) => text.split(HIDDEN).map((part, i) => (i % 2 ? isolated(part) : part));

/** A button; `text` gives what to copy when it is pressed. */
export const copyButton = (id, label, text) => {
  const button = element("button", { id, type: "button", class: "copy" }, label);
  const say = (words) => {
    button.textContent = words;
    setTimeout(() => { button.textContent = label; }, SAID_MS);
  };
  button.addEventListener("click", () =>
    navigator.clipboard.writeText(text()).then(() => say("Copied"), () => say("Not copied")));
  return button;
};
