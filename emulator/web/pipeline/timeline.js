// The way of one event: its five steps with their times and durations.

import { element } from "./element.js";
import { added, clock, stepsOf } from "./steps.js";

const KINDS = { open: "not reached", unknown: "not known", skipped: "none" };

const said = ({ at, kind }, state) => KINDS[kind] ?? (kind === "failed" ? state : clock(at));

const stepElement = (state) => (step) =>
  element("li", { class: "step", "data-step": step.name, "data-kind": step.kind, title: step.meaning },
    element("span", { class: "took" }, step.took === null ? "" : added(step.took)),
    element("strong", {}, step.name),
    element("time", { datetime: step.at === null ? null : new Date(step.at).toISOString() }, said(step, state)));

/** An ordered list of the steps. */
export const timeline = (trace) =>
  element("ol", { id: "timeline", "aria-label": "Steps" }, stepsOf(trace).map(stepElement(trace.state)));
