// JSON, on pages that changed how it is made.
import { attempt } from "./report.js";

/**
 * The JSON of a value. Prototype.js gives arrays and strings a `toJSON` that makes text of them: it is passed over.
 * @param {unknown} value
 * @returns {string}
 */
export const toText = (value) =>
  JSON.stringify(value, function (key, changed) {
    const original = this[key];
    return Array.isArray(original) || /^(string|number|boolean)$/.test(typeof original) ? original : changed;
  });

/** What JSON says; undefined if it is none. @param {string | undefined} text @returns {any} */
export const fromText = (text) => attempt(() => JSON.parse(/** @type {string} */ (text)));
