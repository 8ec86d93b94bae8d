// Gets events to the collector: one after the other, until each has a receipt.
import { isSilent, isUndecided } from "./consent.js";
import { tabId } from "./identity.js";
import { fromText } from "./json.js";
import { holdStream, releaseLeases } from "./lock.js";
import { discard, drop, owe, partsOf, queued, underWay } from "./queue.js";
import { attempt, say } from "./report.js";
import { options } from "./settings.js";
import { isShared, read, write } from "./store.js";

const MOST_KEPT_ALIVE = 60_000; // browsers refuse more than 64 KB
const TIMEOUT = 30_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 300_000;
const KEY_RETRY = 60_000; // after 401 and 403: a person has to change a key first
const LONGEST_WAIT = 3_600_000;
const FRESH = 1_000; // the tab that made an event sends it
const WAIT = "clickstream.wait";

/** The tabs whose events this page is sending. @type {Set<string>} */
const sending = new Set();
/** Events that failed: how often, and from when on those that failed twice are tried again. @type {Map<string, { count: number, until: number }>} */
const failed = new Map();
let keptAlive = 0;
let failures = 0;
let retryAt = 0; // by a clock that nobody sets
let hasLeft = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let wakesAt = Infinity;

/** Send what waits after a while, or before. @param {number} delay */
const flushLater = (delay) => {
  const shortened = Math.min(delay, LONGEST_WAIT); // a timer of a month overflows, and fires at once
  const at = performance.now() + shortened;
  if (at >= wakesAt) return;
  wakesAt = at;
  clearTimeout(timer);
  timer = setTimeout(() => {
    wakesAt = Infinity;
    flush();
  }, shortened);
};

/** What is left of `Retry-After`. The visitor's clock may have been wrong: over an hour is none. */
const waitLeft = () => {
  const left = Number(read(WAIT) ?? 0) - Date.now();
  return left <= LONGEST_WAIT ? left : 0;
};

/** How long nothing is to be sent. */
const pause = () => Math.max(retryAt - performance.now(), waitLeft());

/** Half of it is left to chance, so that not all browsers come at once. @param {number} count */
const backOff = (count) => Math.min(FIRST_RETRY * 2 ** count, LAST_RETRY) * (0.5 + Math.random() / 2);

/** @param {string} key @param {Response | undefined} response */
const postpone = (key, response) => {
  const isKeyWrong = response?.status === 401 || response?.status === 403;
  const count = (failed.get(key)?.count ?? 0) + 1;
  const least = isKeyWrong ? KEY_RETRY : 0;
  failed.set(key, { count, until: count < 2 ? 0 : performance.now() + Math.max(least, backOff(count - 1)) });
  const after = response?.headers.get("Retry-After") ?? "";
  const wait = Math.min(Number(after) * 1000 || Date.parse(after) - Date.now(), LONGEST_WAIT);
  if (wait > 0) write(WAIT, String(Date.now() + wait));
  // What had its chance twice holds up nothing else.
  if (count <= 2) retryAt = performance.now() + Math.max(least, backOff(failures++));
};

/** Send one event. @param {string} key @param {string} body @param {boolean} isKept Whether it outlives the page. */
const post = async (key, body, isKept) => {
  const event = fromText(body);
  if (!event?.eventId) return drop(key, "refused");
  const bytes = isKept ? sizeOf(body) : 0;
  keptAlive += bytes;
  underWay.add(key);
  /** @type {Response | undefined} */
  let response;
  let isStored = false;
  try {
    response = await fetch(/** @type {string} */ (options.endpoint), {
      method: "POST",
      body,
      keepalive: isKept,
      credentials: "omit",
      redirect: "error", // is no receipt
      headers: { "Content-Type": "application/json", ...options.headers },
      signal: attempt(() => AbortSignal.timeout(TIMEOUT)),
    });
    // A service worker or a proxy may say 200 too; only the collector says this.
    isStored = fromText(await response.text())?.success === true && response.ok;
  } catch {}
  keptAlive -= bytes;
  underWay.delete(key);
  if (options.debug) say("debug", "clickstream receipt", response?.status, event.eventId);
  if (isSilent()) return isStored || owe("withheld", 1);
  if (isStored) {
    discard(key);
    failed.delete(key);
    failures = retryAt = 0;
  } else if (response && /^4(?!01|03|08|29)/.test(String(response.status))) {
    const { status } = response;
    drop(key, "refused");
    attempt(() => options.onRefused?.(event, status));
  } else postpone(key, response);
};

const sizeOf = (/** @type {string} */ body) => new Blob([body]).size;
const fits = (/** @type {string} */ body) => keptAlive + sizeOf(body) <= MOST_KEPT_ALIVE;

/** The event to send next: the oldest, but one that failed twice lets others go first. @param {string} stream */
const nextOf = (stream) => {
  const keys = queued().filter((key) => partsOf(key).tabId === stream && !underWay.has(key));
  const due = (/** @type {string} */ key) => failed.get(key)?.until ?? 0;
  const [key] = keys.sort((one, other) => due(one) - due(other));
  return key && due(key) <= performance.now() ? key : void (key && flushLater(due(key) - performance.now()));
};

/** Send a tab's events, unless another page does. @param {string} stream @param {{ isLocal: boolean, isFresh: boolean }} what */
const sendStream = async (stream, what) => {
  sending.add(stream);
  let hasSent = false;
  const sendNext = async () => {
    const key = nextOf(stream);
    const body = key && read(key);
    if (!body) return false;
    hasSent = true;
    await post(key, body, fits(body));
    return !isSilent() && pause() <= 0;
  };
  const isMine = await holdStream(stream, what, sendNext).catch(() => false);
  sending.delete(stream);
  if (hasSent) flush();
  else if (!isMine) flushLater(FIRST_RETRY);
};

/** Send what waits. */
export const flush = () => {
  if (!options.endpoint || isSilent() || isUndecided()) return;
  if (pause() > 0) return flushLater(pause());
  for (const key of queued()) {
    if (failures && sending.size) return; // one asks
    const { tabId: stream, time } = partsOf(key);
    if (sending.has(stream)) continue;
    const age = Math.abs(Date.now() - time);
    if (stream !== tabId() && age < FRESH) flushLater(FRESH);
    else sendStream(stream, { isLocal: !isShared(key), isFresh: age < FRESH / 2 });
  }
};

/** The page is being left: send all that this tab still has, as far as browsers let it. @param {string} [stream] */
export const sendAllAtOnce = (stream) => {
  hasLeft = true;
  releaseLeases();
  if (!options.endpoint || isSilent() || isUndecided() || waitLeft() > 0) return;
  for (const key of queued()) {
    const body = read(key);
    if (body && partsOf(key).tabId === stream && !underWay.has(key) && fits(body)) post(key, body, true);
  }
};

/** The page has been left. */
export const isLeft = () => hasLeft;

/** The page is shown, or online, again: try everything now. */
export const resume = () => {
  hasLeft = false;
  flush();
};

/** The browser is online again. */
export const retryNow = () => {
  failures = retryAt = 0;
  failed.clear();
  flush();
};
