// What is secret: one list of names and values, for addresses and for data attributes.
import { attempt, guarded } from "./report.js";

const SECRET_NAME = /token|passw|pwd|secret|auth(?!or)|key$|mail|jwt|otp$|sessi|^(code|pass|sid|sig|signature)$/i;
const SECRET_VALUE = /[^\s/]@[^\s/]|(^|\W)eyJ/; // an e-mail address, a JWT
const NAMES = /([^\s=&?#;:,/{}"']+)["']?\s*[=:]/g; // `name=`, and `"name":` of JSON

let names = [SECRET_NAME];

/**
 * Add secret names. One that is no regular expression is told of, and ignored.
 * @param {(string | RegExp)[]} [given]
 */
export const setSecretNames = (given = []) => {
  names = [SECRET_NAME];
  given.forEach(guarded((each) => names.push(new RegExp(each, /** @type {RegExp} */ (each).flags ?? "i"))));
};

/**
 * Whether a text holds a secret value, or a secret name with a value, or does so once it is decoded: addresses are
 * passed on within addresses.
 * @param {string} text
 * @returns {boolean}
 */
export const isSecret = (text) => {
  // Piece by piece: a percent sign that stands for itself must not hide the rest.
  const decoded = text.replace(/(%[\da-f]{2})+/gi, (code) => attempt(() => decodeURIComponent(code)) ?? code);
  return (
    SECRET_VALUE.test(text) ||
    [...text.matchAll(NAMES)].some(([, name]) => names.some((pattern) => name.search(pattern) >= 0)) ||
    (decoded !== text && isSecret(decoded))
  );
};

/** @param {string} text @param {string} separator */
const withoutSecrets = (text, separator) =>
  text.split(separator).filter((part) => !isSecret(part)).join(separator);

/**
 * An address without what is secret. Fragments are kept only if they are routes (`#/…`, `#!…`).
 * @param {string} address
 * @returns {string} Empty if it is no address.
 */
export const cleanAddress = (address) =>
  attempt(() => {
    const url = new URL(address);
    url.username = url.password = "";
    // A segment may have parameters: /cart;jsessionid=…
    url.pathname = url.pathname.split("/").map((segment) => withoutSecrets(segment, ";")).join("/");
    url.search = withoutSecrets(url.search.slice(1), "&");
    if (!/^#[!/]/.test(url.hash) || isSecret(url.hash)) url.hash = "";
    return url.href;
  }) ?? "";
