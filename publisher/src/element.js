// Reads elements as they are: their label, id and data, and nothing that a visitor typed or that is secret.
import { isSecret } from "./privacy.js";

const TEXT_LENGTH = 160;
const PRIVATE = "input,select,textarea,option,output,[contenteditable],[data-clickstream-mask],script,style";

/**
 * A member as browsers define it. A form's fields hide its own members: `<input name="id">` makes `form.id` a field.
 * @param {any} prototype
 * @param {string} member
 * @param {Node} node
 * @returns {any}
 */
const own = (prototype, member, node) => Reflect.get(prototype, member, node);

/** @param {Node} node @param {string} selector @returns {boolean} */
export const matches = (node, selector) => own(Element.prototype, "matches", node).call(node, selector);

/** @param {Node} node @param {string} name @returns {string | null} */
const attribute = (node, name) => own(Element.prototype, "getAttribute", node).call(node, name);

/** @param {Node} node */
export const isPrivate = (node) => matches(node, PRIVATE);

/** Not in the middle of a character. @param {string} text */
const cut = (text) => [...text].slice(0, TEXT_LENGTH).join("");

/** The text of a node; of a slot, what is put into it. @param {Node} node @returns {string} */
const textOf = (node) => {
  if (node instanceof Text) return node.data.trim();
  if (!(node instanceof Element) || isPrivate(node)) return "";
  const assigned = node instanceof HTMLSlotElement ? node.assignedNodes({ flatten: true }) : [];
  let text = node instanceof HTMLImageElement ? node.alt : "";
  for (const child of assigned.length ? assigned : own(Node.prototype, "childNodes", node))
    if (text.length < 2 * TEXT_LENGTH) text += ` ${textOf(child)}`;
  return text;
};

/** What an element is called. @param {Node} node @param {boolean} isActive What acts is named by its content. */
export const labelOf = (node, isActive) => {
  const text = (isActive && textOf(node).trim()) || attribute(node, "aria-label") || attribute(node, "title") || "";
  return isSecret(text) ? "" : cut(text.replace(/\s+/g, " ").trim());
};

/** An element's `data-…`, in the spelling of `dataset`, which elements of foreign namespaces lack. @param {Node} node */
export const dataOf = (node) => {
  /** @type {Record<string, string>} */
  const data = {};
  for (const name of own(Element.prototype, "getAttributeNames", node).call(node)) {
    const value = attribute(node, name) ?? "";
    if (!name.startsWith("data-")) continue;
    const member = name.slice(5).replace(/-([a-z])/g, (/** @type {string} */ _, /** @type {string} */ letter) => letter.toUpperCase());
    if (!isSecret(`${member}=${value}`)) data[member] = cut(value);
  }
  return data;
};

/** @param {Node} node */
export const nameOf = (node) => ({
  tag: /** @type {string} */ (own(Element.prototype, "localName", node)),
  id: attribute(node, "id"),
  role: attribute(node, "role"),
});
