// Who sends: the tab, which numbers its events.
import { LEFT, readJson, remove, TAB, writeJson } from "../store.js";

/** @typedef {{ clientId: string, tabId: string, seq: number }} Tab */
/** @type {Tab | null | undefined} */
let tab;

/** A UUID, version 4. `crypto.randomUUID` is missing on insecure origins; browsers name each blob by one everywhere. */
export const uuid = () => {
  const url = URL.createObjectURL(new Blob());
  URL.revokeObjectURL(url);
  return url.slice(-36);
};

// A frame shares sessionStorage with its page: it has a tab of its own, and leaves none behind.
const isFrame = () => self !== top;

/** A living page takes its tab out of the storage: `window.open` and duplicating a tab copy none. */
export const takeTab = () => {
  if (isFrame()) return;
  tab = readJson(TAB);
  // Firefox gives a kept page the sessionStorage that it left: the tab's numbers have moved on since.
  const left = readJson(LEFT);
  if (left?.tabId === tabId()) tab = left;
  remove(TAB);
  remove(LEFT);
};

/** The page is left: the tab's next page goes on with its numbers. */
export const leaveTab = () => {
  if (!tab || isFrame()) return;
  writeJson(TAB, tab);
  writeJson(LEFT, tab);
  tab = null;
};

/** The tab, which is another for another client. @param {string} clientId @returns {Tab} */
export const tabOf = (clientId) => {
  if (!tab) takeTab();
  if (tab?.clientId !== clientId) tab = { clientId, tabId: uuid(), seq: 0 };
  return tab;
};

/** The id of the tab, if it has sent anything. */
export const tabId = () => tab?.tabId;
