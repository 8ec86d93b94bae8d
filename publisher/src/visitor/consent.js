// Whether the visitor may be followed: consent, an opt-out, and the browser's privacy signals.
import { options } from "../settings.js";
import { read, remove, write } from "../store.js";

export const OPTED_OUT = "clickstream.optedOut";

/** @typedef {"pending" | "granted" | "denied"} Consent */
/** @type {Consent} */
let consent = "pending";

// What this page knows of an opt-out, whatever became of the storage: `localStorage.clear()` takes no wish back.
/** @type {boolean | undefined} */
let isOptedOut;

/** Whether nothing may be sent or stored. */
export const isSilent = () => {
  /** @type {Navigator & { globalPrivacyControl?: boolean }} */
  const { globalPrivacyControl, doNotTrack } = navigator;
  const isSignalled = options.respectPrivacySignals && (globalPrivacyControl || doNotTrack === "1");
  return isOptedOut || consent === "denied" || isSignalled || read(OPTED_OUT);
};

/** Whether nobody knows yet. */
export const isUndecided = () => consent === "pending";

/** What is known is not taken back. @param {Consent} given */
export const setConsent = (given) => {
  if (given !== "pending") consent = given;
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
