// The view in the address: reads it, and changes parts of it.

import { canShow, mark } from "./stream.js";

const listeners = new Set();

/** The view in the address. */
export const query = () => (mark === "#" ? location.hash : location.search).slice(1);

/** The address of a view. */
export const address = (view) => `${mark}${view}`;

/** Call `listener` whenever the address changes. */
export const onChange = (listener) => {
  listeners.add(listener);
  addEventListener("popstate", () => listener());
};

/** The address with changes: a value or several for each name; null removes it. */
export const changed = (changes) => {
  const parameters = new URLSearchParams(query());
  for (const [name, value] of Object.entries(changes)) {
    parameters.delete(name);
    for (const each of [value].flat()) if (each !== null) parameters.append(name, each);
  }
  return parameters.toString();
};

/** Go to the address with changes. */
export const go = (changes) => {
  // In another view, a list begins at its first page.
  const isSameList = ["place", "event"].some((name) => name in changes) || Object.keys(changes).length === 0;
  history.pushState(null, "", address(changed(isSameList ? changes : { place: null, ...changes })));
  for (const listener of listeners) listener();
};

let own = [];

/** The names of the page's own options, which no other page has. */
export const ownOptions = (names) => { own = names; };

/** Changes of the address that lead to another page, too. */
export const leading = (changes) =>
  (changes.page && changes.page !== new URLSearchParams(query()).get("page")
    ? { ...Object.fromEntries(own.map((name) => [name, null])), ...changes }
    : changes);

/** Show the same address with what has come since. */
export const refresh = () => {
  for (const listener of listeners) listener(true);
};

/** Spell the address as the server does, without a new entry in the browser's history. */
export const spell = (canonical) => {
  if (canonical !== query()) history.replaceState(null, "", address(canonical));
};

/** Add a value to a filter. */
export const addFilter = (name, value) => {
  const values = new URLSearchParams(query()).getAll(name);
  if (!values.includes(value)) go({ [name]: name === "login" ? value : [...values, value] });
};

// What has no category, brand, product or login state is in no group that these filters could keep.
const NAMED_ONLY = new Set(["category", "brand", "product", "login"]);

/** Whether a filter can choose a value. */
export const canFilter = (name, value) => value !== null && value !== undefined
  && !(value === "unknown" && NAMED_ONLY.has(name)) && canShow({ [name]: value });

/** Take a value from a filter. */
export const dropFilter = (name, value) => {
  const values = new URLSearchParams(query()).getAll(name).filter((each) => each !== value);
  go({ [name]: values.length ? values : null });
};
