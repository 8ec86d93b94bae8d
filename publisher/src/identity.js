// Who sends: the browser (client) and the tab, which numbers its events.
import { read, readJson, remove, TAB, write, writeJson } from "./store.js";

const CLIENT = "clickstream.client";

/** @typedef {{ clientId: string, tabId: string, seq: number }} Tab */
/** @type {Tab | undefined} */
let tab;

/** A UUID, version 4. `crypto.randomUUID` is missing on insecure origins. */
export const uuid = () =>
  "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (+digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (+digit / 4)))).toString(16),
  );

/** The browser's id, and whether it has just got it. */
export const client = () => {
  const known = read(CLIENT);
  if (known) return { clientId: known, isNew: false };
  const clientId = uuid();
  write(CLIENT, clientId);
  return { clientId, isNew: true };
};

// A frame shares sessionStorage with its page: it has a tab of its own, and leaves none behind.
const isFrame = () => self !== top;

/** A living page takes its tab out of the storage: `window.open` and duplicating a tab copy none. */
export const takeTab = () => {
  if (isFrame()) return;
  tab = readJson(TAB);
  remove(TAB);
};

/** The page is left: the tab's next page goes on with its numbers. */
export const leaveTab = () => {
  if (!tab || isFrame()) return;
  writeJson(TAB, tab);
  tab = undefined;
};

/** The tab, which is another for another client. @param {string} clientId @returns {Tab} */
export const tabOf = (clientId) => {
  if (!tab) takeTab();
  if (tab?.clientId !== clientId) tab = { clientId, tabId: uuid(), seq: 0 };
  return tab;
};

/** The id of the tab, if it has sent anything. */
export const tabId = () => tab?.tabId;

export const forgetTab = () => {
  tab = undefined;
  remove(TAB);
};
