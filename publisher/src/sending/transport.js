// Gets events to the collector: one after the other, again and again until each has a receipt.
import { isSilent, isUndecided } from "../visitor/consent.js";
import { leaveTab, tabId } from "../visitor/identity.js";
import { fromText } from "../json.js";
import { endLease, takeTurn, timeLeft } from "./lock.js";
import { drop, idle, queued, underWay, withhold } from "./queue.js";
import { attempt, say } from "../report.js";
import { options } from "../settings.js";
import { read, remove, write } from "../store.js";

const MOST_KEPT_ALIVE = 60_000; // browsers refuse more than 64 KB, under way together
const TIMEOUT = 30_000;
const SECOND = 1_000;
const MINUTE = 60_000;
const LAST_RETRY = 300_000;
const HOUR = 3_600_000;
const WAIT = "clickstream.wait"; // what the collector asked for holds for all tabs and visits

/** How often an event failed. @type {Map<string, number>} */
const failed = new Map();
/** @type {boolean | undefined} */
let isSending;
let failures = 0;
let retryAt = 0; // by a clock that nobody sets
let retryFailedAt = 0;
let hasLeft = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** How long nothing is to be sent. */
const pause = () => Math.max(retryAt - performance.now(), timeLeft(WAIT));

/**
 * Try again: after twice as long each time, of which half is left to chance.
 * @param {string} key
 * @param {Response} [response]
 */
const postpone = (key, response) => {
  const now = performance.now();
  // A person has to change a key first.
  const first = /40[13]/.test(/** @type {any} */ (response?.status)) ? MINUTE : SECOND;
  const delay = (/** @type {number} */ count) => Math.min(first * 2 ** count, LAST_RETRY) * (0.5 + Math.random() / 2);
  const count = (failed.get(key) ?? 0) + 1;
  failed.set(key, count);
  if (count > 2) retryFailedAt = now + delay(count - 1);
  else retryAt = now + delay(failures++);
  const after = response?.headers.get("Retry-After") ?? "";
  const wait = Math.min(+after * 1000 || Date.parse(after) - Date.now(), HOUR);
  if (wait > 0) write(WAIT, `${Date.now() + wait}`);
};

/** Send one event. @param {string} key */
const post = async (key) => {
  const body = /** @type {string} */ (read(key));
  const event = fromText(body);
  if (!event?.eventId) return body === null || drop(key, "refused"); // null: another page had its receipt
  /** @type {Response | undefined} */
  let response;
  /** @type {boolean | undefined} */
  let isStored;
  underWay.add(key);
  try {
    response = await fetch(/** @type {string} */ (options.endpoint), {
      method: "POST",
      body,
      keepalive: new Blob([body]).size <= MOST_KEPT_ALIVE, // outlives the page
      credentials: "omit",
      redirect: "error", // is no receipt
      headers: { "Content-Type": "application/json", ...options.headers },
      signal: AbortSignal.timeout(TIMEOUT),
    });
    // A service worker or a proxy may say 200 too; only the collector says this, in JSON.
    isStored = (await response.json()).success === true;
  } catch {}
  underWay.delete(key);
  const status = /** @type {any} */ (response?.status);
  if (options.debug) say("debug", "clickstream receipt", status, event.eventId);
  if (isSilent()) return isStored || withhold(1);
  if (isStored) {
    remove(key);
    if (failures > 2) failed.clear(); // the collector was down: no event was to blame
    failures = retryAt = 0;
  } else if (/^4(?!01|03|08|29)/.test(status)) {
    drop(key, "refused");
    attempt(() => options.onRefused?.(event, status));
  } else postpone(key, response);
};

const isOn = () => options.endpoint && !isSilent() && !isUndecided();
const maySend = () => isOn() && pause() <= 0;

/** The event to send next: the oldest, but one that failed twice lets others go first. */
const nextKey = () => {
  const keys = idle();
  const fresh = keys.find((key) => !(/** @type {number} */ (failed.get(key)) > 1));
  return fresh ?? (retryFailedAt <= performance.now() && keys[0]);
};

/** Send what waits, that of other tabs too. */
export const flush = async () => {
  if (hasLeft) return leave();
  if (isSending || !isOn()) return;
  isSending = true;
  let hasSent = false;
  await takeTurn(async () => {
    const key = maySend() && nextKey();
    if (!key) return;
    hasSent = true;
    await post(key);
    return true;
  });
  isSending = false;
  clearTimeout(timer);
  // Look again, in a minute at the latest: a timer of a month would fire at once.
  if (queued().length) timer = setTimeout(flush, Math.min(Math.max(hasSent ? 0 : SECOND, pause()), MINUTE));
};

/** The page is left: send all that its tab still has, as far as the browser keeps it alive, and put down the tab. */
export const leave = () => {
  hasLeft = true;
  if (isSending) endLease();
  if (maySend())
    for (const key of idle()) if (key.endsWith(/** @type {string} */ (tabId()))) post(key);
  if (!isSilent()) leaveTab();
};

/** The page is shown, or the browser is online again: wait no longer, but for as long as the collector asked. */
export const resume = () => {
  hasLeft = false;
  failures = retryAt = retryFailedAt = 0;
  flush();
};
