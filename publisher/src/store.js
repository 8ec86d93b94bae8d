// What is kept from page to page: in the browser's storage, or in memory where the browser keeps nothing.
import { fromText, toText } from "./json.js";
import { attempt } from "./report.js";
import { options } from "./settings.js";

export const SESSION = "clickstream.session";
export const TAB = "clickstream.tab";

/** @type {Map<string, string>} */
const memory = new Map();

/** May throw: a browser that blocks storage does so when it is asked for. @param {string} key */
const areaOf = (key) => (key === SESSION || key === TAB ? sessionStorage : (options.store ?? localStorage));

/** @param {string} key @returns {string | undefined} */
export const read = (key) => memory.get(key) ?? attempt(() => areaOf(key).getItem(key)) ?? undefined;

/** @param {string} key @returns {any} */
export const readJson = (key) => fromText(read(key));

/** @param {string} key @param {string} text */
export const write = (key, text) => {
  memory.set(key, text);
  attempt(() => {
    areaOf(key).setItem(key, text);
    // Some browsers and extensions swallow what is written, without an error.
    if (areaOf(key).getItem(key) === text) memory.delete(key);
  });
};

/** @param {string} key @param {unknown} value */
export const writeJson = (key, value) => write(key, toText(value));

/** @param {string} key */
export const remove = (key) => {
  memory.delete(key);
  attempt(() => areaOf(key).removeItem(key));
};

/** Whether other tabs see it too. @param {string} key */
export const isShared = (key) => !memory.has(key);

/** The keys that start like this, in their order. @param {string} start */
export const keysOf = (start) => {
  const stored = attempt(() => {
    const store = options.store ?? localStorage;
    return Array.from({ length: store.length }, (_, index) => store.key(index) ?? "");
  });
  return [...new Set([...memory.keys(), ...(stored ?? [])])].filter((key) => key.startsWith(start)).sort();
};
