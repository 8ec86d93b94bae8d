// What is secret: one list of names and values, for addresses and for data attributes.
import { attempt, complain } from "./report.js";

const SECRET_NAME = /token|passw|pwd|secret|auth(?!or)|key$|mail|jwt|otp$|session|sessid|^(code|pass|sid|sig|signature)$/i;
const SECRET_VALUE = /[^\s/]@[^\s/]|(^|\W)eyJ/; // an e-mail address, a JWT
const NAMES = /([^\s=&?#;:,/{}"']+)["']?\s*[=:]/g; // `name=`, and `"name":` of JSON
const CODE = /^(?=.*\d)[\w.~-]{16,}$/; // what follows /reset-password/
const MOST_LAYERS = 5;

/** @type {RegExp[]} */
let names = [SECRET_NAME];

/** More secret names. @param {(string | RegExp)[]} [given] What is no regular expression is named, and ignored. */
export const setSecretNames = (given = []) => {
  names = [SECRET_NAME];
  for (const each of given) {
    try {
      names.push(typeof each === "string" ? new RegExp(each, "i") : new RegExp(each.source, each.flags.replace(/[gy]/g, "")));
    } catch (error) {
      complain(error);
    }
  }
};

/** @param {string} name */
const isSecretName = (name) => names.some((pattern) => pattern.test(name));

/** The text, and what it says once decoded, and decoded again: addresses are passed on within addresses. */
const layersOf = (/** @type {string} */ text) => {
  const layers = [text];
  while (layers.length < MOST_LAYERS) {
    // Piece by piece: a percent sign that stands for itself must not hide the rest.
    const next = layers[0].replace(/(%[\da-f]{2})+/gi, (code) => attempt(() => decodeURIComponent(code)) ?? code);
    if (next === layers[0]) break;
    layers.unshift(next);
  }
  return layers;
};

/** Whether a text holds a secret, or a secret's name with a value. @param {string} text */
export const isSecret = (text) =>
  layersOf(text).some(
    (layer) => SECRET_VALUE.test(layer) || [...layer.matchAll(NAMES)].some(([, name]) => isSecretName(name)),
  );

/** @param {string} path */
const cleanPath = (path) => {
  const segments = path.split("/");
  return segments
    .map((segment, index) => {
      const [name, ...parameters] = segment.split(";"); // /cart;jsessionid=…
      const isCode = CODE.test(name) && isSecretName(segments[index - 1] ?? "");
      return [isCode || isSecret(name) ? "" : name, ...parameters.filter((each) => !isSecret(each))].join(";");
    })
    .join("/");
};

/** @param {string} query With its question mark. */
const cleanQuery = (query) => {
  const pairs = query.slice(1).split("&");
  const kept = pairs.filter((pair) => !isSecret(pair));
  return kept.length === pairs.length ? query : kept.join("&");
};

/**
 * An address without what is secret. Fragments are kept only if they are routes (`#/…`, `#!…`).
 * @param {string} address
 * @returns {string} Empty if it is no address.
 */
export const cleanAddress = (address) =>
  attempt(() => {
    const url = new URL(address);
    url.username = url.password = "";
    const path = cleanPath(url.pathname);
    if (path !== url.pathname) url.pathname = path;
    const query = cleanQuery(url.search);
    if (query !== url.search) url.search = query;
    if (!/^#[!/]/.test(url.hash) || isSecret(url.hash)) url.hash = "";
    return url.href;
  }) ?? "";
