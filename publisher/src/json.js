// JSON, on pages that changed how it is made.
import { attempt } from "./report.js";

/**
 * The JSON of a value. Prototype.js gives arrays and texts a `toJSON` that makes text of them: it is passed over.
 * @param {unknown} value
 * @returns {string}
 */
export const toText = (value) =>
  JSON.stringify(value, function (key, changed) {
    const original = this[key];
    return typeof original === "object" && !Array.isArray(original) ? changed : original;
  });

/** Parse JSON; undefined if the text is not JSON. @param {string | null | undefined} text @returns {any} */
export const fromText = (text) => attempt(() => JSON.parse(/** @type {string} */ (text)));
