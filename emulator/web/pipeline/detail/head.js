// The head of the detail: the steps of an event, its state and the reason, its ids, its siblings, and copy buttons.

import { eventPath } from "../api.js";
import { copyButton, element, othersText } from "../element.js";
import { added, badgeElements, cameAt, clock, duration, hueOf, meaningOf, stepsOf, totalOf } from "../trace.js";

/** The name of a trace in the API: its event id, or else its object's key. Null if it was refused without an id. */
export const nameOf = (trace) => trace.eventId ?? trace.key;

const KINDS = { open: "not reached", unknown: "not known", skipped: "none" };

const said = ({ at, kind }, state) => KINDS[kind] ?? (kind === "failed" ? state : clock(at));

const stepElement = (state) => (step) =>
  element("li", { class: "step", "data-step": step.name, "data-kind": step.kind, title: step.meaning },
    element("span", { class: "took" }, step.took === null ? "" : added(step.took)),
    element("strong", {}, step.name),
    element("time", { datetime: step.at === null ? null : new Date(step.at).toISOString() }, said(step, state)));

/** The five steps with their times and durations, as an ordered list. */
export const timeline = (trace) =>
  element("ol", { id: "timeline", "aria-label": "Steps" }, stepsOf(trace).map(stepElement(trace.state)));

const FACTS = [
  ["event id", "eventId"],
  ["object", "key"],
  ["session", "sessionId"],
  ["user", "userId"],
  ["product", "productName"],
  ["seq", "seq"],
];

const fact = (trace) => ([title, field]) => {
  const value = trace[field];
  if (value === null || value === undefined) return [];
  const dot = field === "sessionId" ? element("span", { class: "dot" }) : null;
  dot?.style.setProperty("--hue", hueOf(value));
  return element("div", {}, element("dt", {}, title),
    element("dd", { "data-field": field }, dot, othersText("fact", String(value))));
};

/** The ids of a trace: event, object, session, user, product. */
export const facts = (trace) => element("dl", { id: "facts" }, FACTS.flatMap(fact(trace)));

const sentences = (trace) => [
  trace.status && trace.state === "refused" ? `Answered with status ${trace.status}.` : null,
  trace.reason,
  meaningOf(trace.state),
  trace.isLate ? "Late: it was accepted after more than 3 s, or got its row more than 3 s later." : null,
  trace.deliveries > 1 ? `Its trigger came ${trace.deliveries} times. There is still at most one row.` : null,
];

/** Why a trace is in its state: the reason that was given, and what the state means. */
export const explanation = (trace) => {
  const lines = sentences(trace).filter(Boolean);
  const total = totalOf(trace);
  return element("div", { id: "explanation", "data-state": trace.state },
    total === null ? null : element("p", { id: "end-to-end" }, `${duration(total)} end to end`),
    lines.map((line) => element("p", { class: line === trace.reason ? "reason" : null }, line)));
};

const sibling = (shown, onPick) => (trace) => {
  const isShown = String(trace.id === shown.id);
  return element("li", {},
    element("button", { type: "button", "aria-current": isShown, "data-id": trace.id, onclick: () => onPick(trace) },
      element("time", {}, clock(cameAt(trace))), badgeElements(trace),
      othersText("key", trace.key ?? "nothing stored")));
};

/** All traces of one event id; an empty list if there is only one. */
export const siblings = (shown, traces, onPick) => {
  if (traces.length < 2) return [];
  const rows = traces.filter((trace) => trace.state === "row").length;
  const says = `This event id arrived ${traces.length} times. ${rows ? "One has the row" : "There is no row yet"}:`;
  return [element("p", {}, says), element("ul", { id: "siblings" }, traces.map(sibling(shown, onPick)))];
};

const curl = (trace) => `curl '${location.origin}${eventPath(nameOf(trace))}'`;

/** Copy buttons for the values that this trace has; `raw` is the text of its object, or null. */
export const copyButtons = (trace, raw) => [
  trace.eventId ? copyButton("copy-event-id", "Copy event id", () => trace.eventId) : null,
  trace.key ? copyButton("copy-key", "Copy key", () => trace.key) : null,
  raw === null ? null : copyButton("copy-raw", "Copy raw", () => raw),
  nameOf(trace) ? copyButton("copy-curl", "Copy curl", () => curl(trace)) : null,
].filter(Boolean);
