// What is kept from page to page: in the browser's storage, or in memory where the browser keeps nothing.
import { fromText, toText } from "./json.js";
import { attempt } from "./report.js";
import { options } from "./settings.js";

export const SESSION = "clickstream.session";
export const TAB = "clickstream.tab";
export const LEFT = "clickstream.left"; // the tab that was left last, of all

/** @type {Map<string, string>} */
const memory = new Map();

/** @returns {Store} @typedef {import("./settings.js").Store} Store */
const shared = () => options.store ?? localStorage;

/**
 * Ask the storage, which throws if it is full, or where the browser blocks it.
 * @param {"getItem" | "setItem" | "removeItem"} method
 * @param {string} key
 * @param {string} [text]
 * @returns {any}
 */
const ask = (method, key, text) =>
  attempt(() => (key === SESSION || key === TAB ? sessionStorage : shared())[method](key, /** @type {any} */ (text)));

/** @param {string} key @returns {string | null | undefined} */
export const read = (key) => memory.get(key) ?? ask("getItem", key);

/** @param {string} key @returns {any} */
export const readJson = (key) => fromText(read(key));

/** @param {string} key @param {string} text */
export const write = (key, text) => {
  memory.set(key, text);
  ask("setItem", key, text);
  // Some browsers and extensions swallow what is written, without an error.
  if (ask("getItem", key) === text) memory.delete(key);
};

/** @param {string} key @param {unknown} value */
export const writeJson = (key, value) => write(key, toText(value));

/** @param {string} key */
export const remove = (key) => {
  memory.delete(key);
  ask("removeItem", key);
};

/** The keys that start like this, in their order. @param {string} start */
export const keysOf = (start) =>
  [...memory.keys(), ...(attempt(() => Array.from(shared(), (_, index) => `${shared().key(index)}`)) ?? [])]
    .filter((key) => key.startsWith(start))
    .sort();
