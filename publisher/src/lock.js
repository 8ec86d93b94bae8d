// One page at a time sends a tab's events: by a Web Lock, or a lease on insecure origins, which have none.
import { read, remove, write } from "./store.js";
import { tabId } from "./identity.js";

const LEASE = 30_000;
const LONGEST_LEASE = 3_600_000;
const SETTLING = 100; // two pages may take a lease at the same moment: the last one has it

/** @type {Set<string>} */
const leases = new Set();

/** @param {string} stream @param {() => Promise<void>} send */
const lease = async (stream, send) => {
  const name = `clickstream.lease.${stream}`;
  const left = Number(read(name) ?? 0) - Date.now();
  if (left > 0 && left <= LONGEST_LEASE) return false; // more comes from a clock that was wrong
  const taken = String(Date.now() + LEASE + Math.random());
  write(name, taken);
  leases.add(name);
  if (stream !== tabId()) await new Promise((done) => setTimeout(done, SETTLING));
  const isMine = read(name) === taken;
  if (isMine) await send();
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
 * @param {boolean} isLocal Whether they are in this page's memory, where no other page sees them.
 * @param {() => Promise<void>} send
 * @returns {Promise<boolean>} Whether it was this page's turn.
 */
export const holdStream = async (stream, isLocal, send) => {
  if (isLocal) return send().then(() => true);
  if (!navigator.locks) return lease(stream, send);
  return navigator.locks.request(`clickstream.queue.${stream}`, { ifAvailable: true }, async (lock) => {
    if (lock) await send();
    return Boolean(lock);
  });
};
