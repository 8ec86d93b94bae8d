// Clicks: one event per click of a visitor, with what was clicked.
import { describe, matches } from "./element.js";
import { showView, trackHere } from "./views.js";

const IGNORED = "[global-clickstream-ignore-click=true]";
const ACTIVE = 'a,button,summary,label,[role=button],[role=link],[tabindex="0"]';

/** The field that a clicked label clicks in turn. @type {Element | null} */
let forwarded = null;

/** @param {MouseEvent} click */
export const onClick = (click) => {
  // Not a script's, for instance a carousel's, and not a label's second one.
  if (!click.isTrusted || click.target === forwarded) return;
  const path = click.composedPath().filter((node) => node instanceof Element);
  const { control } = /** @type {Partial<HTMLLabelElement>} */ (path.find((node) => matches(node, "label")) ?? {});
  if (control) {
    forwarded = control;
    setTimeout(() => (forwarded = null)); // the browser clicks it right after this click
  }
  const active = path.find((node) => matches(node, ACTIVE));
  const element = active ?? path[0];
  if (!element) return;
  showView(); // before whatever event the click has
  if (path.some((node) => matches(node, IGNORED))) return;
  trackHere("click", { element: describe(element, Boolean(active), path.slice(path.indexOf(element))) });
};
