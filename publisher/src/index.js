// The publisher: page views, clicks and the events of a shop, of which none is lost on the way to the collector.
//
// It runs in a browser; on a server every function does nothing. Nothing here throws, and the page waits for nothing.
//
// For React and other frameworks: `currentNavigation`, `onNavigation`, `setOwnView` and `viewSettled`; see views.js.
import { isSilent, OPTED_OUT, rememberOptOut, revokeOptOut, setConsent } from "./visitor/consent.js";
import { release, stopWaiting } from "./event.js";
import { setSecretNames } from "./privacy.js";
import { idle, withhold } from "./sending/queue.js";
import { guarded, say } from "./report.js";
import { setOptions } from "./settings.js";
import { startWhenShown } from "./start.js";
import { keysOf, remove, SESSION, TAB } from "./store.js";
import { flush } from "./sending/transport.js";
import { nameUser, settleUser } from "./visitor/user.js";

export * from "./events.js";
export { trackCustom as track } from "./events.js";
export { currentNavigation, onNavigation, setOwnView, viewSettled } from "./views.js";

/** @typedef {import("./settings.js").Options} Options */
/** @typedef {import("./settings.js").ClickstreamEvent} ClickstreamEvent */
/** @typedef {import("./settings.js").Store} Store */
/** @typedef {import("./event.js").BaseEvent} BaseEvent */

const LONGEST_WAIT_FOR_USER = 2_000;

let hasStarted = false;

/** Delete all that is stored, but for the wish itself. What is under way may arrive; the rest is lost. */
const forget = () => {
  withhold(idle().length);
  for (const key of [SESSION, TAB, ...keysOf("clickstream.")]) if (key !== OPTED_OUT) remove(key);
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
  // Another copy of the publisher may run on the page, for instance one that a tag manager loaded.
  const page = /** @type {{ clickstreamRuns?: boolean }} */ (/** @type {unknown} */ (self));
  if (!hasStarted && page.clickstreamRuns) return say("warn", "clickstream: loaded twice");
  page.clickstreamRuns = true;
  setOptions(wanted);
  setSecretNames(wanted.privateParameters);
  if (!hasStarted || wanted.consent) setConsent(wanted.consent ?? "granted");
  if (wanted.user !== undefined) nameUser(wanted.user);
  else if (!hasStarted) "user" in wanted ? setTimeout(stopWaiting, LONGEST_WAIT_FOR_USER) : settleUser();
  if (isSilent()) forget();
  if (!hasStarted) startWhenShown();
  else decide();
  hasStarted = true;
});

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
