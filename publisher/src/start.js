// Begins to listen to the page: once, whoever loads the publisher how often, and not before a visitor sees it.
import { onClick } from "./capture.js";
import { followOtherTabs, isSilent } from "./consent.js";
import { release, startEvents } from "./event.js";
import { leaveTab, tabId, takeTab } from "./identity.js";
import { attempt, guarded, say } from "./report.js";
import { options } from "./settings.js";
import { resume, retryNow, sendAllAtOnce } from "./transport.js";
import { settleUser } from "./user.js";
import { enterAgain, follow, showView } from "./views.js";

const RESTORING = 500; // the page that was left meanwhile may put down the tab a moment later

/** Whether another copy of the publisher runs on the page, for instance one that a tag manager loaded. */
const ME = {};
const PLACE = Symbol.for("clickstream.publisher");
export const isSecond = () => {
  const page = /** @type {Record<symbol, unknown>} */ (/** @type {unknown} */ (globalThis));
  page[PLACE] ??= ME;
  const isOther = page[PLACE] !== ME;
  if (isOther) say("warn", "clickstream: the publisher is on this page already; this copy does nothing");
  return isOther;
};

/** @param {string} name @param {(event: any) => void} action */
const on = (name, action) => addEventListener(name, guarded(action), true);

const followRoutes = () => {
  // Only the Navigation API sees every change; in a page without an origin it is there, and sees none.
  const { navigation } = /** @type {{ navigation?: any }} */ (/** @type {unknown} */ (globalThis));
  if (navigation?.currentEntry)
    navigation.addEventListener("currententrychange", guarded(({ navigationType }) => follow(navigationType ?? "replace")));
  else
    for (const [name, kind] of /** @type {const} */ ([["pushState", "push"], ["replaceState", "replace"]]))
      attempt(() => {
        const original = history[name];
        history[name] = (...given) => {
          original.apply(history, given);
          guarded(follow)(kind);
        };
      });
  on("popstate", () => follow("traverse"));
};

const start = guarded((/** @type {number | undefined} */ shownAt) => {
  takeTab();
  startEvents(shownAt);
  const settle = () => options.settle !== "commit" && setTimeout(guarded(showView));
  followOtherTabs();
  followRoutes();
  on("click", onClick);
  on("online", retryNow);
  on("DOMContentLoaded", settle);
  on("pagehide", () => {
    settleUser();
    release();
    showView();
    sendAllAtOnce(tabId());
    if (!isSilent()) leaveTab();
  });
  on("pageshow", ({ persisted }) => {
    resume();
    if (!persisted) return settle();
    enterAgain();
    setTimeout(guarded(showView), RESTORING);
  });
  follow();
  release();
  if (document.readyState === "complete") settle();
  resume();
});

/** A page that is prerendered may never be shown: it has no visitor until then. */
export const startWhenShown = () => {
  const page = /** @type {Document & { prerendering?: boolean }} */ (document);
  if (page.prerendering) addEventListener("prerenderingchange", () => start(Date.now()), { once: true });
  else start(undefined);
};
