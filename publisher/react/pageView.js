// Gives each navigation the view of the tracker on its page, or else lets the automatic view go when React is done.
import { currentNavigation, onNavigation, setOwnView, viewSettled } from "../src/index.js";
import { isRendering } from "./rendering.js";

const INTERVAL = 50;
const LONGEST_WAIT = 10_000; // a part of the page may never come

/** @typedef {[name: string, payload: object]} View */
/** @typedef {{ view: View | false, navigation: number | undefined }} Tracker */

/** The trackers on the page; the last one counts: a dialog's lies on top of its page's. @type {Tracker[]} */
let trackers = [];

/**
 * A tracker is on the page.
 * @param {View | false} view False while it waits for what it shows.
 * @returns {() => void} It is on the page no more.
 */
export const addTracker = (view) => {
  const tracker = { view, navigation: currentNavigation() };
  trackers.push(tracker);
  return () => {
    trackers = trackers.filter((each) => each !== tracker);
  };
};

// While React works on the next page, the trackers are still those of the page before. One that was added since the
// navigation is right, whatever else is to come; so is one that stayed, for instance when only the query changed.
const viewOf = () => {
  const tracker = trackers.at(-1);
  const isCurrent = tracker?.navigation === currentNavigation() || !isRendering();
  return (isCurrent && tracker?.view) || undefined;
};

const isPending = () => (trackers.length ? !viewOf() : isRendering());

/** @param {number | undefined} id @param {number} until */
const settle = (id, until) => {
  if (id !== currentNavigation()) return;
  if (isPending() && Date.now() < until) setTimeout(settle, INTERVAL, id, until);
  else viewSettled(id);
};

// After React's layout effects: routers change the address in the middle of a commit.
const settleLater = (/** @type {number | undefined} */ id) => void setTimeout(settle, 0, id, Date.now() + LONGEST_WAIT);

/** Begin, once for all trackers. */
export const followNavigations = () => {
  setOwnView(viewOf);
  onNavigation(settleLater);
  settleLater(currentNavigation());
};
