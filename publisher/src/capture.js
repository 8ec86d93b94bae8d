// Clicks: one event per click of a visitor, with what was clicked.
import { dataOf, isPrivate, labelOf, matches, nameOf } from "./element.js";
import { showView, trackHere } from "./views.js";

const IGNORED = '[global-clickstream-ignore-click="true"]';
const ACTIVE =
  'a,button,summary,label,[role=button],[role=link],[role=tab],[role=switch],[role^=menuitem],[tabindex="0"]';

/** The field that a clicked label clicks in turn. @type {Element | null} */
let forwarded = null;

/** @param {MouseEvent} click */
const isForwarded = (click) => {
  const isEcho = click.target === forwarded;
  forwarded = null;
  return isEcho;
};

/** @param {Element} label @param {MouseEvent} click */
const expectEcho = (label, click) => {
  const control = label instanceof HTMLLabelElement ? label.control : null;
  if (!control || click.composedPath().includes(control)) return;
  forwarded = control;
  setTimeout(() => (forwarded = null)); // the browser clicks it right after this click
};

/** @param {MouseEvent} click */
export const onClick = (click) => {
  if (!click.isTrusted) return; // a script's, for instance a carousel's
  if (isForwarded(click)) return;
  const path = click.composedPath();
  const elements = path.filter((node) => node instanceof Element);
  const label = elements.find((node) => node instanceof HTMLLabelElement);
  if (label) expectEcho(label, click);
  const active = elements.find((node) => matches(node, ACTIVE));
  const element = active ?? elements[0];
  if (!element) return;
  showView(); // before whatever event the click has
  if (elements.some((node) => matches(node, IGNORED))) return;
  const isHidden = elements.slice(elements.indexOf(element)).some(isPrivate);
  // What a custom element consists of is its own affair; the shop knows the element.
  const root = path.slice(path.indexOf(element)).find((node) => node instanceof ShadowRoot || node instanceof Document);
  const host = root instanceof ShadowRoot ? root.host : element;
  const { tag, id, role } = nameOf(element);
  trackHere("click", {
    element: {
      tag,
      id: id ?? nameOf(host).id,
      role,
      text: isHidden ? "" : labelOf(element, Boolean(active)) || labelOf(host, false),
      dataset: isHidden ? {} : { ...dataOf(host), ...dataOf(element) },
    },
  });
};
