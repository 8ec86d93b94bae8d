// Makes events of what happened, and keeps in memory what happens before anybody may follow the visitor.
import { isSilent, isUndecided } from "./visitor/consent.js";
import { tabOf, uuid } from "./visitor/identity.js";
import { fromText, toText } from "./json.js";
import { publisher } from "./package.js";
import { countLost, dropped, enqueue, numberWithheld, withhold } from "./sending/queue.js";
import { guarded, say } from "./report.js";
import { currentSession } from "./visitor/session.js";
import { options } from "./settings.js";
import { flush } from "./sending/transport.js";
import { knownUser, settleUser } from "./visitor/user.js";

const MOST_WAITING = 1_000;

/**
 * What every event carries. A payload adds to it, and cannot change it.
 * @typedef {object} BaseEvent
 * @property {string} eventId A UUID, version 4. The same one if the event is sent again.
 * @property {string} eventName
 * @property {string} eventTimestamp The visitor's clock, ISO-8601, UTC.
 * @property {string} pageUrl
 * @property {string} referrer The page before: another site's, or this site's previous route.
 * @property {string | null} userId
 * @property {"logged_in" | "anonymous"} userLoginState
 * @property {string | null} identitySource
 * @property {string} clientId A UUID for this browser, until the visitor opts out or clears its storage.
 * @property {string} sessionId Another after 30 minutes without an event. One per tab; tabs opened by a page share it.
 * @property {boolean} isFirstVisit Whether this is the client's very first session.
 * @property {string} tabId One per tab, also if it was duplicated or opened by another; a frame has its own.
 * @property {number} seq From 1, per `clientId` and `tabId`. A gap is an event that `dropped` counts.
 * @property {import("./sending/queue.js").Counts} dropped How many events of this client were lost so far: because too
 *   many waited, because the collector refused them, or because the shop or the visitor withheld them.
 * @property {{ name: string, version: string }} publisher The package that made the event, and its version.
 * @property {{ timeZone: string, language: string }} context The browser's.
 */

/** Where something happened, and when. @typedef {{ url: string, referrer: string, at: number }} Place */

/** @typedef {Place & { name: string, payload: object | undefined, user: ReturnType<typeof knownUser> }} Happened */

/** @type {Happened[]} */
const waiting = [];
/** @type {number | undefined} Since when events are sent: what happened in a prerendered page happened then. */
let startedAt;

const isHeld = () => startedAt === undefined || isUndecided() || !knownUser();

/** @param {Happened} happened */
const send = guarded(({ name, payload, user, url, referrer, at }) => {
  const session = currentSession();
  const tab = tabOf(session.clientId);
  tab.seq += numberWithheld() + 1;
  const base = {
    eventId: uuid(),
    eventName: name,
    eventTimestamp: new Date(Math.max(at, /** @type {number} */ (startedAt))).toISOString(),
    pageUrl: url,
    referrer,
    .../** @type {import("./visitor/user.js").KnownUser} */ (user ?? knownUser()),
    ...session,
    ...tab,
    dropped: dropped(),
    publisher,
    context: { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, language: navigator.language },
  };
  const event = { ...base, ...payload, ...base }; // base is first, and wins
  const body = bodyOf(event);
  if (!body) return countLost("withheld");
  if (options.log !== false) say("debug", "clickstream", name, event);
  if (options.endpoint) enqueue(base, body);
  flush();
});

/** The event as the shop wants it sent, if it does: nothing is sent if `beforeSend` throws. */
const bodyOf = guarded((/** @type {BaseEvent} */ event) => {
  const wanted = options.beforeSend?.(event);
  if (wanted !== null) return toText(wanted ?? event);
});

/**
 * Something happened. It is sent if that is known to be right, and waits if it is not known yet.
 * @param {string} name
 * @param {object | undefined} payload
 * @param {Place} place
 */
export const emit = (name, payload, place) => {
  if (isSilent()) return;
  // A copy: the shop may change what it gave, for instance the cart. What is no JSON throws, and costs no number.
  const copy = payload && fromText(toText(payload));
  const count = waiting.push({ ...place, name, payload: copy, user: knownUser() });
  if (count > MOST_WAITING) withhold(waiting.splice(0, 1).length);
  release();
};

/** Send what waited, unless something holds it still; if the visitor does not want to be followed, count it. */
export const release = () => {
  if (isSilent() || !isHeld()) for (const each of waiting.splice(0)) isSilent() ? withhold(1) : send(each);
};

/** Wait no longer for the user. */
export const stopWaiting = guarded(() => {
  settleUser();
  release();
});

/** The publisher starts. @param {number} time When a prerendered page was shown: nothing happened before. */
export const startEvents = (time) => {
  startedAt = time;
  if (!options.endpoint) say("warn", "clickstream: dry run, no endpoint");
};
