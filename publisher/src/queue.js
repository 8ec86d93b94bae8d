// The events that wait for a receipt, each under a key of its own, so that tabs overwrite nothing; and how many were lost.
import { keysOf, read, readJson, remove, write, writeJson } from "./store.js";

const MOST_EVENTS = 1_000;
const MOST_CHARACTERS = 1_000_000;
const DROPPED = "clickstream.dropped";
const QUEUE = "clickstream.queue.";

/** @typedef {"overflow" | "refused" | "withheld"} Reason */
/** @typedef {Record<Reason, number>} Counts */

/** The keys of what this page is sending. @type {Set<string>} */
export const underWay = new Set();

/** What this page put into the queue and does not know to be sent: `localStorage.clear()` may take it away. @type {Set<string>} */
const mine = new Set();

/** Losses that no client has been told of yet. @type {Counts} */
const owed = { overflow: 0, refused: 0, withheld: 0 };

/** The keys of what waits; of each tab, in the order of its events. */
export const queued = () => keysOf(QUEUE);

/** The tab of a key, and its time. @param {string} key */
export const partsOf = (key) => {
  const [, , tabId, , time] = key.split(".");
  return { tabId, time: parseInt(time, 36) };
};

/** How many events of this client were lost so far. @returns {Counts} */
export const dropped = () => ({ overflow: 0, refused: 0, withheld: 0, ...readJson(DROPPED) });

/** @param {Reason} reason @param {number} [count] */
export const countLost = (reason, count = 1) => {
  const counts = dropped();
  counts[reason] += count;
  writeJson(DROPPED, counts);
};

/** Count what is lost when no client is there to count it for. @param {Reason} reason @param {number} count */
export const owe = (reason, count) => {
  owed[reason] += count;
};

/** Count for this client what is owed. @returns {number} How many events that were. */
export const settleOwed = () => {
  let total = 0;
  for (const reason of /** @type {Reason[]} */ (Object.keys(owed))) {
    if (owed[reason]) countLost(reason, owed[reason]);
    total += owed[reason];
    owed[reason] = 0;
  }
  return total;
};

/** An event has arrived, or is lost. @param {string} key */
export const discard = (key) => {
  mine.delete(key);
  remove(key);
};

/** @param {string} key @param {Reason} reason */
export const drop = (key, reason) => {
  discard(key);
  countLost(reason);
};

const sizeOf = (/** @type {string} */ key) => read(key)?.length ?? 0;

/**
 * Keep an event until there is a receipt. The oldest make room.
 * @param {{ tabId: string, seq: number }} event
 * @param {string} body
 */
export const enqueue = ({ tabId, seq }, body) => {
  if (body.length > MOST_CHARACTERS) return countLost("overflow");
  const key = `${QUEUE}${tabId}.${String(seq).padStart(9, "0")}.${Date.now().toString(36)}`;
  mine.add(key);
  write(key, body);
  const keys = queued();
  let characters = keys.reduce((sum, each) => sum + sizeOf(each), 0);
  let count = keys.length;
  if (count <= MOST_EVENTS && characters <= MOST_CHARACTERS) return;
  for (const each of keys.sort((one, other) => partsOf(one).time - partsOf(other).time)) {
    if (count <= MOST_EVENTS && characters <= MOST_CHARACTERS) return;
    if (underWay.has(each)) continue;
    count--;
    characters -= sizeOf(each);
    drop(each, "overflow");
  }
};

/** The storage was cleared, and with it what waited. */
export const countCleared = () => {
  owe("overflow", [...mine].filter((key) => !underWay.has(key)).length);
  mine.clear();
};

/** The visitor opted out: delete what waits. What is under way may arrive. */
export const forgetQueue = () => {
  owe("withheld", queued().filter((key) => !underWay.has(key)).length);
  mine.clear();
};
