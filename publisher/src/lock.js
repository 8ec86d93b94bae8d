// One page at a time sends a tab's events: by a Web Lock, or a lease on insecure origins, which have none.
import { read, remove, write } from "./store.js";

const LEASE = 30_000;
const LONGEST_LEASE = 3_600_000;
const SETTLING = 100; // two pages may take a lease at the same moment: the last one has it

/** @type {Set<string>} */
const leases = new Set();

/** @param {string} stream @param {boolean} isFresh @param {() => Promise<boolean>} sendNext */
const lease = async (stream, isFresh, sendNext) => {
  const name = `clickstream.lease.${stream}`;
  const left = Number(read(name) ?? 0) - Date.now();
  if (left > 0 && left <= LONGEST_LEASE) return false; // more comes from a clock that was wrong
  const take = () => {
    const until = String(Date.now() + LEASE + Math.random());
    write(name, until);
    return until;
  };
  const taken = take();
  leases.add(name);
  if (!isFresh) await new Promise((done) => setTimeout(done, SETTLING));
  const isMine = read(name) === taken;
  if (isMine) while (await sendNext()) take();
  if (leases.delete(name) && isMine) remove(name);
  return isMine;
};

/** The page is left: its tab's next page must not wait for it. */
export const releaseLeases = () => {
  for (const name of leases) remove(name);
  leases.clear();
};

/**
 * Send while nobody else does.
 * @param {string} stream The id of the tab whose events are sent.
 * @param {{ isLocal: boolean, isFresh: boolean }} what Whether they are in this page's memory, where no other page sees
 *   them, or so new that no other page looks for them.
 * @param {() => Promise<boolean>} sendNext Sends one, and says whether to go on.
 * @returns {Promise<boolean>} Whether it was this page's turn.
 */
export const holdStream = async (stream, { isLocal, isFresh }, sendNext) => {
  if (!isLocal && !navigator.locks) return lease(stream, isFresh, sendNext);
  const sendAll = async () => {
    while (await sendNext());
    return true;
  };
  if (isLocal) return sendAll();
  const name = `clickstream.queue.${stream}`;
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => Boolean(lock) && sendAll());
};
