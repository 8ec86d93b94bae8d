// The publisher: page views, clicks and the events of a shop, of which none is lost on the way to the collector.
//
// It runs in a browser; on a server every function does nothing. Nothing here throws, and the page waits for nothing.
//
// For frameworks, told of in views.js: `currentNavigation`, `onNavigation`, `setOwnView` and `viewSettled`.
import { isSilent, rememberOptOut, revokeOptOut, setConsent } from "./consent.js";
import { release } from "./event.js";
import { forgetTab } from "./identity.js";
import { setSecretNames } from "./privacy.js";
import { forgetQueue } from "./queue.js";
import { guarded } from "./report.js";
import { setOptions } from "./settings.js";
import { isSecond, startWhenShown } from "./start.js";
import { keysOf, remove, SESSION } from "./store.js";
import { flush } from "./transport.js";
import { awaitUser, isUserAwaited, nameUser } from "./user.js";

export * from "./events.js";
export { trackCustom as track } from "./events.js";
export { currentNavigation, onNavigation, setOwnView, viewSettled } from "./views.js";

/** @typedef {import("./settings.js").Options} Options */
/** @typedef {import("./settings.js").ClickstreamEvent} ClickstreamEvent */
/** @typedef {import("./settings.js").Store} Store */
/** @typedef {import("./event.js").BaseEvent} BaseEvent */

const LONGEST_WAIT_FOR_USER = 2_000;

let hasStarted = false;

/** Delete all that is stored, but for the wish itself. */
const forget = () => {
  forgetQueue();
  forgetTab();
  remove(SESSION);
  for (const key of keysOf("clickstream.")) if (key !== "clickstream.optedOut") remove(key);
};

/** Something that held events may be decided. */
const decide = () => {
  if (isSilent()) forget();
  release();
  flush();
};

/**
 * Start. Calling it again changes the options; consent and user stay as they are if they are not named.
 * @param {Options} [wanted]
 */
export const init = guarded((/** @type {Options} */ wanted = {}) => {
  if (isSecond()) return;
  setOptions(wanted);
  setSecretNames(wanted.privateParameters);
  if (!hasStarted || wanted.consent) setConsent(wanted.consent ?? "granted");
  if (wanted.user !== undefined) nameUser(wanted.user);
  else if ("user" in wanted && !hasStarted) {
    awaitUser();
    setTimeout(guarded(() => isUserAwaited() && setUser()), LONGEST_WAIT_FOR_USER);
  }
  if (isSilent()) forget();
  if (!hasStarted) startWhenShown();
  else decide();
  hasStarted = true;
});

/** Say who the visitor is, from the next event on, until the page is left: say it on each page. Null: nobody. */
export const setUser = guarded((/** @type {import("./user.js").User | null | undefined} */ user = null) => {
  nameUser(user);
  release();
});

/** Say that nobody is signed in. */
export const clearUser = () => setUser();

/** Send and store nothing from now on, and delete what is stored. Remembered, on all pages and in all tabs. */
export const optOut = guarded(() => {
  rememberOptOut();
  decide();
});

/** Consent, and undo `optOut`: the visitor is a new client then. Sends what waited for consent. */
export const optIn = guarded(() => {
  revokeOptOut();
  decide();
});
