// The detail of the selected trace: its steps, the event as sent and as stored, and its row.

import { ask, eventPath } from "../api.js";
import { byId, element, othersText } from "../element.js";
import { badgeElements } from "../trace.js";
import { copyButtons, explanation, facts, nameOf, siblings, timeline } from "./head.js";
import { jsonElements, memberElements } from "./jsonView.js";
import { createPanes, fillPane } from "./panes.js";
import { rowTable } from "./warehouseRow.js";

const NOTHING = { traces: [], objects: [], row: null, reject: null, mapping: [] };

const answerAbout = async (trace) => {
  const name = nameOf(trace);
  const answer = name ? await ask(eventPath(name), { expected: [404] }) : NOTHING;
  return answer?.traces ? answer : NOTHING;
};

const hint = (text) => [element("p", { class: "hint" }, text)];

const keyElement = (key) => element("code", { class: "key" }, key);

const isAbout = (one, other) => one.id === other.id || (one.eventId !== null && one.eventId === other.eventId);

const noObject = (trace) =>
  trace.state === "refused" ? "Nothing was stored, so its body is not kept." : "The object is not in S3.";

const noRow = (trace, { reject, mapping, problem }) => {
  if (problem) return `It is not known whether there is a row: ${problem}.`;
  if (reject || trace.state === "rejected") return `No row. Listed in clickstream_rejects: ${reject ?? trace.reason}`;
  if (trace.state === "erased") return "No row, because its client or user was erased. The row would be:";
  return mapping.length ? "No row yet. The row will be:" : "No row.";
};

/** Calls `onClose` when it is closed, and `onPick` with another trace of the same event id. */
export const createDetail = ({ onClose, onPick }) => {
  const root = byId("detail");
  const panes = createPanes();
  const head = element("div", { id: "detail-head" });
  const problem = element("p", { class: "problem", role: "alert", hidden: true });
  root.append(head, problem, panes.root);
  let trace = null;
  let answer = NOTHING;
  let [drawn, filled] = [null, null]; // what head and panes show, as text: they are drawn again if it changes
  let isAsking = false;
  let isStale = false;

  const close = () => {
    const hadFocus = root.contains(document.activeElement);
    [trace, drawn, filled, root.hidden] = [null, null, null, true];
    if (hadFocus) byId("traces").focus(); // the focused element is gone
    onClose();
  };
  const mark = (path) => {
    for (const marked of root.querySelectorAll(".marked")) marked.classList.remove("marked");
    if (path === null) return [];
    const members = ["sent", "raw"].flatMap((name) => memberElements(byId(`pane-${name}-body`), path));
    for (const member of members) member.classList.add("marked");
    for (const line of root.querySelectorAll(`[data-source="${CSS.escape(path)}"]`)) line.classList.add("marked");
    return members;
  };
  const follow = (path) => {
    const [member] = mark(path);
    if (!member) return;
    panes.show(path.startsWith("_ingest") ? "raw" : "sent");
    for (const each of mark(path)) each.scrollIntoView({ block: "nearest" });
  };
  const object = () => answer.objects.find(({ key }) => key === trace.key) ?? null;
  const drawHead = () => {
    const text = JSON.stringify([trace, answer.traces, object() === null]);
    if (text === drawn) return;
    drawn = text;
    const focused = head.contains(document.activeElement) ? document.activeElement.id : null;
    const title = element("div", { id: "detail-title" },
      element("h2", { id: "detail-name" }, othersText("", trace.eventName ?? "(no name)")), badgeElements(trace),
      element("span", { class: "copies" }, copyButtons(trace, object()?.raw ?? null)),
      element("button", { id: "detail-close", type: "button", "aria-label": "Close", onclick: close }, "✕"));
    const way = element("div", { id: "way" }, timeline(trace), explanation(trace));
    head.replaceChildren(title, way, ...siblings(trace, answer.traces, onPick), facts(trace));
    if (focused) byId(focused)?.focus();
  };
  const drawPanes = () => {
    const shown = object();
    const { row, mapping } = answer;
    const text = JSON.stringify([trace.id, trace.state, shown, row, mapping, answer.reject, answer.problem]);
    if (text === filled) return;
    filled = text;
    fillPane("sent", shown ? jsonElements(shown.sent) : hint(noObject(trace)));
    fillPane("raw", shown ? [keyElement(shown.key), ...jsonElements(shown.raw)] : hint(noObject(trace)));
    const table = mapping.length ? [rowTable(answer, { onPoint: mark, onFollow: follow })] : [];
    fillPane("row", [...(row ? [] : hint(noRow(trace, answer))), ...table]);
  };
  const load = async () => {
    if (isAsking) return void (isStale = true);
    [isAsking, isStale] = [true, false];
    const asked = trace;
    try {
      const found = await answerAbout(asked);
      if (trace && isAbout(asked, trace)) show(found);
      problem.hidden = true;
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      filled = null;
      for (const name of ["sent", "raw", "row"]) fillPane(name, hint("Not known."));
    }
    isAsking = false;
    if (isStale && trace) load();
  };
  const show = (found) => {
    answer = found;
    drawHead();
    drawPanes();
  };
  root.addEventListener("mouseover", ({ target }) => {
    const path = target.dataset.path;
    if (path !== undefined) mark(path);
  });

  return {
    close,
    open(selected) {
      if (!trace || !isAbout(selected, trace)) answer = NOTHING;
      [trace, root.hidden] = [selected, false];
      drawHead();
      load();
    },
    /** Traces have changed: ask again if this event is among them. */
    changed(traces) {
      if (!trace || !traces.some((each) => isAbout(each, trace))) return;
      trace = traces.findLast((each) => each.id === trace.id) ?? trace;
      drawHead();
      load();
    },
    get isOpen() {
      return trace !== null;
    },
  };
};
