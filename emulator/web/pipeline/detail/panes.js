// The three panes of an event: side by side where there is room, else tabs.

import { byId, element } from "../element.js";

const PANES = [
  ["sent", "Sent by the browser"],
  ["raw", "Raw object in S3"],
  ["row", "Warehouse row"],
];
const WIDE = matchMedia("(min-width: 1100px)");

const tab = ([name, title]) =>
  element("button", { id: `tab-${name}`, type: "button", role: "tab", "aria-controls": `pane-${name}` }, title);

const pane = ([name, title]) =>
  element("section", { id: `pane-${name}`, class: "pane" },
    element("h3", { id: `title-${name}` }, title), element("div", { id: `pane-${name}-body`, class: "pane-body" }));

const neighbour = (key, index) =>
  ({ ArrowRight: (index + 1) % 3, ArrowLeft: (index + 2) % 3, Home: 0, End: 2 })[key];

/** `root` goes into the page; `show` chooses a tab. */
export const createPanes = () => {
  const tabs = PANES.map(tab);
  const panes = PANES.map(pane);
  let chosen = 0;

  const arrange = () => {
    panes.forEach((each, i) => {
      each.hidden = !WIDE.matches && i !== chosen;
      each.setAttribute("role", WIDE.matches ? "region" : "tabpanel");
      each.setAttribute("aria-labelledby", `${WIDE.matches ? "title" : "tab"}-${PANES[i][0]}`);
    });
    tabs.forEach((each, i) => {
      each.setAttribute("aria-selected", i === chosen);
      each.tabIndex = i === chosen ? 0 : -1;
    });
    list.hidden = WIDE.matches;
  };
  const show = (name) => {
    chosen = PANES.findIndex(([each]) => each === name);
    arrange();
  };
  const list = element("div", { id: "pane-tabs", role: "tablist", "aria-label": "Where to look at the event" }, tabs);
  tabs.forEach((each, i) => each.addEventListener("click", () => show(PANES[i][0])));
  list.addEventListener("keydown", (event) => {
    const next = neighbour(event.key, chosen);
    if (next === undefined) return;
    event.preventDefault();
    show(PANES[next][0]);
    tabs[next].focus();
  });
  WIDE.addEventListener("change", arrange);
  arrange();
  return { root: element("div", { id: "panes" }, list, panes), show };
};

/** Put elements into a pane. */
export const fillPane = (name, children) => byId(`pane-${name}-body`).replaceChildren(...children);
