// Makes elements. Children are elements or text; text is always shown as text.

export const element = (tag, { on = {}, ...attributes } = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(made, name, value);
  for (const [type, listener] of Object.entries(on)) made.addEventListener(type, listener);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
};

/** For a control that sends an event of its own: the publisher counts no click on it besides. */
export const TRACKED = { "global-clickstream-ignore-click": "true" };

// As in HTML, true is an attribute without a value, and false is none. ARIA wants its "true" and "false" in words.
const set = (made, name, value) => {
  if (typeof value === "boolean" && !name.startsWith("aria-")) made.toggleAttribute(name, value);
  else if (value !== null && value !== undefined) made.setAttribute(name, value);
};

export const hiddenText = (text) => element("span", { class: "hidden-text" }, text);
