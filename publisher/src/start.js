// Begins to listen to the page, and not before a visitor sees it.
import { onClick } from "./capture.js";
import { release, startEvents, stopWaiting } from "./event.js";
import { takeTab } from "./visitor/identity.js";
import { attempt, guarded } from "./report.js";
import { leave, resume } from "./sending/transport.js";
import { enterAgain, follow, settle, showView } from "./views.js";

const RESTORING = 500; // the page that was left meanwhile may put down the tab a moment later

/** @param {string} name @param {(event: any) => void} action */
const on = (name, action) => addEventListener(name, guarded(action), true);

const followRoutes = () => {
  // Only the Navigation API sees every change; in a page without an origin it is there, and sees none.
  const { navigation } = /** @type {{ navigation?: any }} */ (/** @type {unknown} */ (globalThis));
  if (navigation?.currentEntry)
    navigation.addEventListener(
      "currententrychange",
      guarded((/** @type {any} */ change) => follow(change.navigationType)),
    );
  else
    for (const kind of /** @type {const} */ (["push", "replace"]))
      attempt(() => {
        const name = /** @type {const} */ (`${kind}State`);
        const original = history[name];
        history[name] = (...given) => {
          original.apply(history, given);
          guarded(follow)(kind);
        };
      });
  on("popstate", () => follow("traverse"));
};

const start = guarded((/** @type {Event | void} */ isShown) => {
  takeTab();
  startEvents(isShown ? Date.now() : 0);
  followRoutes();
  on("click", onClick);
  on("online", resume);
  on("DOMContentLoaded", settle);
  on("pagehide", () => {
    stopWaiting();
    showView();
    leave();
  });
  on("pageshow", ({ persisted }) => {
    resume();
    if (!persisted) return settle();
    enterAgain();
    setTimeout(showView, RESTORING);
  });
  follow();
  release();
  if (document.readyState === "complete") settle();
  resume();
});

/** A page that is prerendered may never be shown: it has no visitor until then. */
export const startWhenShown = () => {
  const page = /** @type {Document & { prerendering?: boolean }} */ (document);
  if (page.prerendering) on("prerenderingchange", start);
  else start();
};
