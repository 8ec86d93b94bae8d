// One line of the list: a trace with its steps, its durations and its state.

import { element, setText } from "../element.js";
import { added, badgeElements, badgesOf, clock, duration, hueOf, labelOf, STEPS, stepsOf, totalOf } from "../trace.js";

const summary = (trace, total) => {
  const states = badgesOf(trace).map(([, text]) => text);
  return [trace.eventName ?? "no name", ...states, total].filter(Boolean).join(", ");
};

const parts = () => {
  const cut = (name) => element("span", { class: `others ${name}` });
  const steps = STEPS.map(([name]) => element("span", { class: "step", "data-step": name }, element("span")));
  return { time: cut("time"), name: cut("name"), session: cut("session"), product: cut("product"), steps };
};

// Setting the same title again costs as much as a change.
const setTitle = (target, text) => {
  if (target.title !== text) target.title = text;
};

const showText = (target, text) => {
  setText(target, text ?? "");
  setTitle(target, text ?? "");
};

const showStep = (target, { name, meaning, at, took, kind }) => {
  if (target.dataset.kind !== kind) target.dataset.kind = kind;
  const reached = { failed: "failed", unknown: "not known" }[kind] ?? "not reached";
  setTitle(target, at === null ? `${name}: ${reached}` : `${name} ${clock(at)} (${meaning})`);
  setText(target.firstChild, took === null ? "" : added(took));
};

const showSession = (target, session) => {
  setText(target, session?.slice(0, 4) ?? "");
  setTitle(target, session ?? "");
  target.dataset.known = session !== null;
  if (session) target.style.setProperty("--hue", hueOf(session));
};

/** A line that can show any trace; lines are reused while the list scrolls. */
export const createRow = () => {
  const { time, name, session, product, steps } = parts();
  const total = element("span", { class: "total", title: "sent → row" });
  const badges = element("span", { class: "badges" });
  const line = element("span", { class: "steps" }, steps);
  const node = element("div", { class: "trace", role: "option" }, time, name, session, product, line, total, badges);
  let [shown, shownBadges] = [null, null];

  const show = ({ trace, at, number }) => {
    const took = totalOf(trace);
    node.id = `trace-${number}`;
    Object.assign(node.dataset, { id: trace.id, state: trace.state });
    showText(time, at ? clock(at) : "");
    showText(name, trace.eventName ?? "(no name)");
    name.dataset.known = trace.eventName !== null;
    showSession(session, trace.sessionId);
    showText(product, trace.productName);
    stepsOf(trace).forEach((step, i) => showStep(steps[i], step));
    setText(total, took === null ? "" : duration(took));
    const texts = badgesOf(trace).join();
    if (texts !== shownBadges) badges.replaceChildren(...badgeElements(trace));
    shownBadges = texts;
    node.setAttribute("aria-label", summary(trace, total.textContent));
    setTitle(node, trace.reason ? `${labelOf(trace.state)}: ${trace.reason}` : "");
  };
  return {
    node,
    get entry() {
      return shown;
    },
    /** Show an entry of the store: `down` px from the top, as item `index` of `size`, selected or not. */
    show(entry, down, index, size, isSelected) {
      if (entry !== shown) show(entry);
      shown = entry;
      node.style.setProperty("transform", `translateY(${down}px)`);
      node.ariaPosInSet = index + 1;
      node.ariaSetSize = size;
      node.ariaSelected = isSelected;
    },
  };
};
