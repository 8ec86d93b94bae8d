// One page at a time sends what waits: by a Web Lock, or by a lease on insecure origins, which have no locks.
import { read, remove, write } from "../store.js";

const LEASE = "clickstream.lease";
const LASTS = 30_000;
const SETTLES = 100; // two pages may take it at the same moment: the last one has it
const HOUR = 3_600_000;

/**
 * How much is left until a stored time. More than an hour counts as nothing: the visitor's clock may have been wrong.
 * @param {string} key
 */
export const timeLeft = (key) => {
  const left = /** @type {any} */ (read(key)) - Date.now();
  return left <= HOUR ? left : 0;
};

/** @param {() => Promise<unknown>} sendNext */
const lease = async (sendNext) => {
  if (timeLeft(LEASE) > 0) return;
  let until;
  const extend = () => write(LEASE, (until = `${Date.now() + LASTS + Math.random()}`));
  extend();
  await new Promise((done) => setTimeout(done, SETTLES));
  while (read(LEASE) === until && (await sendNext())) extend();
  if (read(LEASE) === until) endLease();
};

/** The page that sends is left: the next one must not wait for it. */
export const endLease = () => remove(LEASE);

/**
 * Send while no other page does.
 * @param {() => Promise<unknown>} sendNext Sends one event, and says whether to go on.
 */
export const takeTurn = async (sendNext) => {
  try {
    await navigator.locks.request("clickstream", { ifAvailable: true }, async (lock) => {
      while (lock && (await sendNext()));
    });
  } catch {
    await lease(sendNext); // a page without an origin has locks, and may not use them
  }
};
