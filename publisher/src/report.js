// Nothing that goes wrong here reaches the shop: it is told to the console, and to the shop's `onError`.
import { options } from "./settings.js";

/**
 * What an action gives, or undefined if it throws.
 * @template Result
 * @param {() => Result} action
 * @returns {Result | undefined}
 */
export const attempt = (action) => {
  try {
    return action();
  } catch {}
};

/**
 * Log, if the page still has a console: some replace it, or parts of it.
 * @param {"debug" | "warn"} level
 * @param {...unknown} words
 */
export const say = (level, ...words) => attempt(() => console[level](...words));

/** Tell of something that went wrong. @param {unknown} error */
export const complain = (error) => {
  say("warn", "clickstream:", error);
  attempt(() => options.onError?.(error));
};

/**
 * The same function, which complains instead of throwing, and does nothing on a server.
 * @template {unknown[]} Given
 * @template Result
 * @param {(...given: Given) => Result} action
 * @returns {(...given: Given) => Result | undefined}
 */
export const guarded =
  (action) =>
  (...given) => {
    if (!globalThis.document) return;
    try {
      return action(...given);
    } catch (error) {
      complain(error);
    }
  };
