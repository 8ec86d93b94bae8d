// The events that wait for a receipt, each under a key of its own, so that tabs overwrite nothing; counts the lost.
import { keysOf, read, readJson, remove, write, writeJson } from "../store.js";

const MOST_EVENTS = 1_000;
const MOST_CHARACTERS = 1_000_000;
const FIRST = 10_000_000; // numbers of the same length, so that keys sort as their events happened
const DROPPED = "clickstream.dropped";

/** @typedef {{ overflow: number, refused: number, withheld: number }} Counts */

/** The keys of what this page is sending. @type {Set<string>} */
export const underWay = new Set();

// Events that were withheld before they had a number.
let unnumbered = 0;

/** The keys of what waits, the oldest first. */
export const queued = () => keysOf("clickstream.queue.");

/** The keys of what waits and is not under way. */
export const idle = () => queued().filter((key) => !underWay.has(key));

/** How many events of this client were lost so far. @returns {Counts} */
export const dropped = () => ({ overflow: 0, refused: 0, withheld: 0, ...readJson(DROPPED) });

/** Count what had a number: it leaves a gap. @param {keyof Counts} reason @param {number} [count] */
export const countLost = (reason, count = 1) => {
  const counts = dropped();
  counts[reason] += count;
  writeJson(DROPPED, counts);
};

/** Count what has no number yet, and perhaps no client. @param {number} count */
export const withhold = (count) => {
  unnumbered += count;
};

/** Give numbers to what was withheld, so that it leaves a gap too. @returns {number} How many there are. */
export const numberWithheld = () => {
  const count = unnumbered;
  unnumbered = 0;
  if (count) countLost("withheld", count);
  return count;
};

/** @param {string} key @param {keyof Counts} reason */
export const drop = (key, reason) => {
  remove(key);
  countLost(reason);
};

/**
 * Keep an event until there is a receipt. The oldest make room.
 * @param {{ tabId: string, seq: number }} event
 * @param {string} body
 */
export const enqueue = ({ tabId, seq }, body) => {
  if (body.length > MOST_CHARACTERS) return countLost("overflow");
  write(`clickstream.queue.${Date.now()}.${FIRST + seq}.${tabId}`, body);
  let events = 0;
  let characters = 0;
  for (const key of queued().reverse()) {
    characters += read(key)?.length ?? 0;
    if ((++events > MOST_EVENTS || characters > MOST_CHARACTERS) && !underWay.has(key)) drop(key, "overflow");
  }
};
