// Makes events of what happened, and keeps in memory what happens before anybody may follow the visitor.
import { isSilent, isUndecided } from "./consent.js";
import { client, leaveTab, tabOf, uuid } from "./identity.js";
import { fromText, toText } from "./json.js";
import { publisher } from "./package.js";
import { countCleared, countLost, dropped, enqueue, owe, settleOwed } from "./queue.js";
import { complain, guarded, say } from "./report.js";
import { currentSession } from "./session.js";
import { options } from "./settings.js";
import { flush, isLeft, sendAllAtOnce } from "./transport.js";
import { isUserAwaited, knownUser, nameUser } from "./user.js";

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
 * @property {import("./queue.js").Counts} dropped How many events of this client were lost so far: because too many
 *   waited, because the collector refused them, or because the shop or the visitor withheld them.
 * @property {{ name: string, version: string }} publisher The package that made the event, and its version.
 * @property {{ timeZone: string, language: string }} context The browser's.
 */

/** Where and when something happened. @typedef {{ url: string, referrer: string, at: number }} Place */

/** @type {{ name: string, payload: object | undefined, place: Place, user: ReturnType<typeof knownUser> }[]} */
let waiting = [];
let isStarted = false;
let hasWarned = false;
/** @type {string | undefined} The client of this page's events. */
let clientHere;

const isHeld = () => !isStarted || isUndecided() || isUserAwaited();

/** @param {typeof waiting[number]} happened */
const send = guarded(({ name, payload, place, user }) => {
  const { clientId, isNew } = client();
  if (isNew && clientHere) countCleared();
  clientHere = clientId;
  const session = currentSession(clientId, isNew);
  const tab = tabOf(clientId);
  tab.seq += settleOwed();
  const base = {
    eventId: uuid(),
    eventName: name,
    eventTimestamp: new Date(place.at).toISOString(),
    pageUrl: place.url,
    referrer: place.referrer,
    .../** @type {import("./user.js").KnownUser} */ (user ?? knownUser()),
    ...session,
    tabId: tab.tabId,
    seq: tab.seq + 1,
    dropped: dropped(),
    publisher,
    context: { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, language: navigator.language },
  };
  const event = { ...base, ...payload, ...base }; // base is first, and wins
  const body = bodyOf(event);
  tab.seq++; // not before: what is no JSON costs no number
  if (isLeft()) leaveTab();
  if (!body) return countLost("withheld");
  if (options.log !== false) say("debug", "clickstream", name, event);
  if (options.endpoint) {
    enqueue(base, body);
    isLeft() ? sendAllAtOnce(base.tabId) : flush();
  } else if (!hasWarned) {
    hasWarned = true;
    say("warn", "clickstream: dry run, no endpoint");
  }
});

/** The event as the shop wants it sent; undefined if it does not. @param {BaseEvent} event */
const bodyOf = (event) => {
  const body = toText(event);
  if (!options.beforeSend) return body;
  try {
    const wanted = options.beforeSend(event);
    if (wanted === null) return;
    if (wanted && !wanted.eventId) throw new TypeError("beforeSend has to give the event, or null");
    return toText(wanted ?? event);
  } catch (error) {
    complain(error); // what it was meant to remove must not be sent
  }
};

/**
 * Something happened. It is sent if that is known to be right, and waits if it is not known yet.
 * @param {string} name
 * @param {object | undefined} payload
 * @param {Place} place
 */
export const emit = (name, payload, place) => {
  if (isSilent()) return;
  const happened = { name, payload, place, user: knownUser() };
  if (!isHeld()) return send(happened);
  // The shop may change what it gave, for instance the cart.
  waiting.push({ ...happened, payload: payload && fromText(toText(payload)) });
  if (waiting.length > MOST_WAITING) {
    waiting.shift();
    owe("overflow", 1);
  }
};

/** Send what waited, if nothing holds it any more; if the visitor does not want to be followed, count it. */
export const release = () => {
  if (isSilent()) owe("withheld", waiting.length);
  else if (isHeld()) return;
  const ready = waiting;
  waiting = [];
  if (!isSilent()) for (const each of ready) send(each);
};

/** The publisher starts. @param {number} [notBefore] What happened in a prerendered page happened when it was shown. */
export const startEvents = (notBefore = 0) => {
  isStarted = true;
  for (const { place } of waiting) place.at = Math.max(place.at, notBefore);
  if (!knownUser() && !isUserAwaited()) nameUser();
};
