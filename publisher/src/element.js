// Says what an element is: its label, id and data, and nothing that a visitor typed or that is secret.
import { isSecret } from "./privacy.js";

const TEXT_LENGTH = 160;
const PRIVATE = "input,select,textarea,option,output,[contenteditable],[data-clickstream-mask],script,style";

/**
 * A member as browsers define it. A form's fields hide its own members: `<input name="id">` makes `form.id` a field.
 * @param {Node} node
 * @param {string} member
 * @returns {any}
 */
const own = (node, member) => Reflect.get(Element.prototype, member, node);

/** @param {Node} node @param {string} selector @returns {boolean} */
export const matches = (node, selector) => own(node, "matches").call(node, selector);

/** @param {Node} node @param {string} name @returns {string | null} */
const attribute = (node, name) => own(node, "getAttribute").call(node, name);

/** @param {Node} node */
const isPrivate = (node) => matches(node, PRIVATE);

/** Not in the middle of a character. @param {string} text */
const cut = (text) => [...text].slice(0, TEXT_LENGTH).join("");

/** The text of a node; of a slot, what is put into it. @param {Node} node @returns {string} */
const textOf = (node) => {
  if (node instanceof Text) return node.data.trim();
  if (!(node instanceof Element) || isPrivate(node)) return "";
  const assigned = /** @type {HTMLSlotElement} */ (node).assignedNodes?.({ flatten: true }) ?? [];
  return [...(assigned.length ? assigned : own(node, "childNodes"))].map(textOf).join(" ");
};

/** The data attributes, as `dataset` spells them, which elements of foreign namespaces lack. @param {Node} node */
const dataOf = (node) => {
  /** @type {Record<string, string>} */
  const data = {};
  for (const { name, value } of own(node, "attributes")) {
    const member = name.slice(5).replace(/-[a-z]/g, (/** @type {string} */ part) => part[1].toUpperCase());
    if (name.startsWith("data-") && !isSecret(`${member}=${value}`)) data[member] = cut(value);
  }
  return data;
};

/**
 * What a click says of an element.
 * @param {Element} element
 * @param {boolean} isActive What acts is named by its content; anything else only by a label of its own.
 * @param {Element[]} path The element, and those around it.
 */
export const describe = (element, isActive, path) => {
  const isHidden = path.some(isPrivate);
  // What a custom element consists of is its own affair: the shop gave id and data to the element.
  const host = /** @type {ShadowRoot} */ (own(element, "getRootNode").call(element)).host ?? element;
  const label = (isActive && textOf(element).trim()) || attribute(element, "aria-label") || "";
  return {
    tag: own(element, "localName"),
    id: attribute(element, "id") ?? attribute(host, "id"),
    role: attribute(element, "role"),
    text: isHidden || isSecret(label) ? "" : cut(label.replace(/\s+/g, " ").trim()),
    dataset: isHidden ? {} : { ...dataOf(host), ...dataOf(element) },
  };
};
