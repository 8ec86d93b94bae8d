// Follows the visitor from page to page: one view per navigation, whatever the shop's router does.
//
// The seam for frameworks. A navigation is a page that is loaded, a route that is opened, or a page that the browser
// kept and shows again. Each has a number, `currentNavigation()`: 1 for the page as it was loaded, before `init` too; 0
// on a server. `onNavigation` tells of further ones. A navigation has exactly one view: the first event whose name
// ends in `_view` (a domain view), or else the automatic `page_view`, which is sent when
// - `viewSettled()` is called, if `init` got `settle: "commit"`: a framework's effects run later than any timer; or
// - the page's scripts have run (DOMContentLoaded, then `setTimeout(0)`), if not;
// - at a click, at the next navigation or when the page is left, if that comes first;
// - half a second after a kept page is shown again: nothing is committed then.
// A framework that knows the page's own view, for instance a tracker's, says so with `setOwnView`: it goes in place of
// the automatic one, at the same moments.
// It has the time and the address at which the page was entered. A second domain view of the same name and thing in one
// navigation is ignored: a component may be mounted twice (Strict Mode), or be shown again with a page that was kept.
import { emit } from "./event.js";
import { cleanAddress } from "./privacy.js";
import { attempt, guarded } from "./report.js";
import { options } from "./settings.js";

/** @typedef {"push" | "replace" | "traverse"} Kind How the address was changed. */

/**
 * @typedef {object} Navigation
 * @property {number} id
 * @property {string} url The address at which the page was entered.
 * @property {string} here Its address now: it may be replaced without a navigation.
 * @property {string} referrer
 * @property {number} at When it was entered.
 * @property {boolean} isDue Whether it still needs a view.
 * @property {Set<string>} views Its domain views.
 */

/** @type {Navigation | undefined} */
let navigation;

/** @typedef {(url: string) => [name: string, payload: object] | undefined} OwnView */

/** @type {OwnView} */
let ownView = () => undefined;

/** @type {Set<(id: number) => void>} */
const listeners = new Set();

/** @param {string} url @param {string} referrer */
const enter = (url, referrer) => {
  const id = (navigation?.id ?? 0) + 1;
  navigation = { id, url, here: url, referrer, at: Date.now(), isDue: true, views: new Set() };
  return navigation;
};

const current = () => navigation ?? enter(cleanAddress(location.href), cleanAddress(document.referrer));

/** Without a place within the page, and without parameters. @param {URL} url */
const routeOf = ({ pathname, hash }) => pathname + hash.split("?")[0];

/** @param {URL} url @param {URL} previous @param {Kind} kind */
const isRouteByDefault = (url, previous, kind) => kind !== "replace" || routeOf(url) !== routeOf(previous);

/** Send the automatic view, if one is due. */
export const showView = () => {
  const { url, referrer, at, isDue, views } = current();
  if (!isDue) return;
  current().isDue = false;
  const [name, payload] = attempt(() => ownView(url)) ?? [];
  if (name) views.add(name);
  else if (attempt(() => options.hasDomainView?.(new URL(url)))) return;
  emit(name ?? "page_view", payload, { url, referrer, at });
};

/** Say which view the page has. @param {OwnView} given Asked when the view of a page is due, with the page's address. */
export const setOwnView = (given) => {
  ownView = given;
};

/** The address may have changed. @param {Kind} [kind] */
export const follow = (kind = "push") => {
  const page = current();
  const url = cleanAddress(location.href);
  if (url === page.here) return;
  const [to, from] = attempt(() => [new URL(url), new URL(page.here)]) ?? [];
  if (!to || !from) return;
  const isSameRoute = routeOf(to) === routeOf(from);
  const isRoute = attempt(() => options.isRoute?.(to, from, kind)) ?? isRouteByDefault(to, from, kind);
  if (kind === "replace" && page.isDue) {
    // Its view was not due yet, so it never was a page. Parameters are tidied up; the view keeps those of the entrance.
    if (!isSameRoute) page.url = url;
    page.here = url;
  } else if (isRoute) {
    showView();
    const { id } = enter(url, page.here);
    // Later: a router may be in the middle of its own work.
    queueMicrotask(() => listeners.forEach((listener) => guarded(listener)(id)));
    if (options.settle !== "commit") setTimeout(guarded(showView)); // after the shop's own view
  } else page.here = url;
};

/** A page that the browser kept is shown again. A view that the shop tracked itself is the shop's to send again. */
export const enterAgain = () => {
  const { here, referrer, views } = current();
  enter(here, referrer).isDue = !views.size || Boolean(attempt(() => ownView(here)));
};

/**
 * Send an event of this page.
 * @param {string} name
 * @param {object} [payload]
 */
export const trackHere = (name, payload) => {
  follow();
  const { url, here, referrer, views } = current();
  let address = here;
  if (name.endsWith("_view")) {
    if (current().isDue) address = url;
    current().isDue = false;
    views.add(name);
  }
  emit(name, payload, { url: address, referrer, at: Date.now() });
};

/**
 * Send a domain view, once per navigation.
 * @param {string} name
 * @param {object} [payload]
 * @param {string | number} [thing] What is shown.
 */
export const trackViewHere = (name, payload, thing = "") => {
  follow();
  const view = `${name} ${thing}`;
  if (current().views.has(view)) return;
  trackHere(name, payload); // may throw
  current().views.add(view);
};

/** The number of the navigation; 0 on a server. */
export const currentNavigation = () => guarded(() => current().id)() ?? 0;

/**
 * Be told of each navigation, with its number. Not of the one that is current already, nor of a page that the browser
 * kept: nothing is rendered then.
 * @param {(id: number) => void} listener Called once the code that navigates has run (in a microtask).
 * @returns {() => void} Ends it.
 */
export const onNavigation = (listener) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/**
 * The page's own code has had its chance: the automatic view is sent now, unless a domain view came.
 * @param {number} [id] Ignored if it is not the number of the current navigation.
 */
export const viewSettled = guarded((id = current().id) => {
  if (id === current().id) showView();
});
