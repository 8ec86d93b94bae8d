// Follows the visitor from page to page: one view per navigation, whatever the shop's router does.
//
// The seam for frameworks. A navigation is a page that is loaded, a route that is opened, or a page that the browser
// kept and shows again. Each has a number, `currentNavigation()`: 1 for the page as it was loaded, before `init` too;
// undefined on a server. `onNavigation` tells of further ones. A navigation has exactly one view: the first event whose
// name ends in `_view` (a domain view), or else the automatic `page_view`, which is sent when
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
 * @property {Set<string>} viewed Its domain views.
 */

/** @type {Navigation | undefined} */
let navigation;

/** @typedef {(url: string) => [name: string, payload: object] | undefined} OwnView */

/** @type {OwnView | undefined} */
let ownView;

/** @type {Set<(id: number) => void>} */
const listeners = new Set();

/** @param {string} url @param {string} referrer */
const enter = (url, referrer) => {
  const id = (navigation?.id ?? 0) + 1;
  navigation = { id, url, here: url, referrer, at: Date.now(), isDue: true, viewed: new Set() };
  return navigation;
};

const current = () => navigation ?? enter(cleanAddress(location.href), cleanAddress(document.referrer));

/** An address without parameters. @param {string} url */
const routeOf = (url) => url.replace(/\?[^#]*/g, "");

/** Send the page's view, if one is due. */
export const showView = guarded(() => {
  const page = current();
  if (!page.isDue) return;
  page.isDue = false;
  const [name = "page_view", payload] = attempt(() => ownView?.(page.url)) ?? [];
  if (payload) page.viewed.add(name);
  else if (attempt(() => options.hasDomainView?.(new URL(page.url)))) return;
  emit(name, payload, page);
});

/** Say which view the page has. @param {OwnView} given Asked when the view of a page is due, with its address. */
export const setOwnView = (given) => {
  ownView = given;
};

/** The address may have changed. @param {Kind | null} [kind] */
export const follow = (kind) => {
  const page = current();
  const url = cleanAddress(location.href);
  if (url === page.here) return;
  const isNewRoute = routeOf(url) !== routeOf(page.here);
  const isReplaced = kind === "replace";
  const decided = attempt(() => options.isRoute?.(new URL(url), new URL(page.here), kind || "push"));
  if (isReplaced && page.isDue) {
    // Nobody saw it yet. Where only parameters are tidied up, the view keeps those of the entrance.
    if (isNewRoute) page.url = url;
  } else if (decided ?? (isNewRoute || !isReplaced)) {
    showView();
    const { id } = enter(url, page.here);
    // Later: a router may be in the middle of its own work.
    queueMicrotask(() => listeners.forEach((listener) => guarded(listener)(id)));
    settle();
  }
  current().here = url;
};

/** Send the view once the shop's own code has run, if nobody else says when that is. */
export const settle = () => {
  if (options.settle !== "commit") setTimeout(showView);
};

/** A page that the browser kept is shown again. A view that the shop tracked itself is the shop's to send again. */
export const enterAgain = () => {
  const { here, referrer, viewed } = current();
  enter(here, referrer).isDue = !viewed.size || Boolean(ownView?.(here));
};

/**
 * Send an event of this page.
 * @param {string} name
 * @param {object} [payload]
 * @param {string | number} [thing] What a domain view shows: it is viewed once per navigation.
 */
export const trackHere = (name, payload, thing) => {
  follow();
  const page = current();
  const view = `${name} ${thing}`;
  const isView = name.endsWith("_view");
  if (thing !== undefined && page.viewed.has(view)) return;
  emit(name, payload, { ...page, url: isView && page.isDue ? page.url : page.here, at: Date.now() });
  if (!isView) return;
  page.isDue = false;
  page.viewed.add(view);
};

/** The number of the navigation; undefined on a server. */
export const currentNavigation = guarded(() => current().id);

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
