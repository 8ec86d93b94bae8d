// The bar of a report: what it shows, and the options that it holds. It is in the place of the dashboard's bar.js.

import { options } from "../../dashboard/static/bar/options.js";
import { byId, element } from "../../dashboard/static/element.js";
import { named, span, write } from "../../dashboard/static/format.js";
import { text } from "../../dashboard/static/texts/texts.js";

const COMMAND = "python -m analysis dashboard";

const clock = ({ clock: name }, { lookback, lookahead }) =>
  `${text(`clock.${name}`)}; ${text(`facts.${name}`, { lookback, lookahead })}`;

/** Draw the bar for the head of an answer. */
export const drawBar = ({ within, before, source, view, facts, ...head }) => {
  const shown = [
    ["range", span(within)],
    ["zone", view.zone],
    ["compare", before ? `${text(`compare.${view.comparison}`)}: ${span(before)}` : text("compare.none")],
    ["clock", clock(view, facts)],
    ["bots", text(`bots.${Number(view.bots)}`)],
    ["filters.login", view.login ? named("login", view.login) : text("facts.all")],
    ["facts.source", source],
    ["facts.made", write(facts.madeAt, "time")],
  ];
  byId("bar").replaceChildren(
    element("dl", { id: "facts" }, ...shown.map(([label, value]) => element("div", {},
      element("dt", {}, text(label)), element("dd", {}, value)))),
    facts.unreadable ? element("p", { class: "problem" }, text("facts.unreadable", { count: facts.unreadable })) : "",
    ...options({ view, ...head }),
    element("p", { class: "hint" }, text("facts.others", { command: COMMAND })),
  );
};
