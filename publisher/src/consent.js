// Whether the visitor may be followed: consent, an opt-out, and the browser's privacy signals.
import { options } from "./settings.js";
import { attempt } from "./report.js";
import { read, remove, write } from "./store.js";

const OPTED_OUT = "clickstream.optedOut";

/** @type {Options["consent"]} Nobody knows before `init`. @typedef {import("./settings.js").Options} Options */
let consent;

// What this page knows of an opt-out, whatever became of the storage: `localStorage.clear()` takes no wish back.
let isOptedOut = false;

/** Whether nothing may be sent or stored. */
export const isSilent = () => {
  isOptedOut ||= Boolean(read(OPTED_OUT));
  const { globalPrivacyControl, doNotTrack } = /** @type {Navigator & { globalPrivacyControl?: boolean }} */ (navigator);
  const isSignalled = options.respectPrivacySignals && (globalPrivacyControl || doNotTrack === "1");
  return isOptedOut || consent === "denied" || Boolean(isSignalled);
};

/** Whether nobody knows yet. */
export const isUndecided = () => !consent || consent === "pending";

/** @param {Options["consent"]} given */
export const setConsent = (given) => {
  if (given !== "pending" || !consent) consent = given; // what is known is not taken back
};

export const rememberOptOut = () => {
  isOptedOut = true;
  write(OPTED_OUT, "1");
};

export const revokeOptOut = () => {
  isOptedOut = false;
  remove(OPTED_OUT);
  consent = "granted";
};

/** What another tab's visitor wishes counts here too; a storage that was cleared says nothing. */
export const followOtherTabs = () =>
  attempt(() =>
    addEventListener("storage", ({ key, newValue }) => {
      if (key === OPTED_OUT) isOptedOut = Boolean(newValue);
    }),
  );
