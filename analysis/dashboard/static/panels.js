// Draws the panels of a page: each has its place at once, and its content when that arrives.

import { chart } from "./charts/chart.js";
import { byId, element } from "./element.js";
import { figure } from "./figure.js";
import { write } from "./format.js";
import { drawSteps } from "./parts/steps.js";
import { exportPath, textOf } from "./stream.js";
import { table } from "./table.js";
import { has, text } from "./texts/texts.js";
import { go } from "./view.js";

const SAID_MS = 1500;
let head = null;

const title = (name) => text(`panels.${head.view.page}.${name}`);

const copy = (panel, language, label) => {
  const button = element("button", { type: "button", "data-copy": language }, label);
  const say = (words) => {
    button.textContent = words;
    setTimeout(() => { button.textContent = label; }, SAID_MS);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(await textOf(panel, language, head.fixed));
      say(text("copied"));
    } catch (error) {
      say(error.message || text("notCopied"));
    }
  });
  return button;
};

const link = (panel, format) =>
  element("a", { href: exportPath(panel, format, head.fixed), download: "" }, text(format));

/** What can be done with a panel's figures. */
const actions = (panel, content, shown) => {
  const toggle = shown && element("button", { type: "button", "aria-expanded": "false", "data-table": true,
    onclick: () => {
      shown.hidden = !shown.hidden;
      toggle.setAttribute("aria-expanded", String(!shown.hidden));
    } }, text("table"));
  const { sql, python } = content.copies;
  return element("details", { class: "more" },
    element("summary", { "aria-label": text("more", { name: title(panel) }) }, "⋯"),
    element("div", { class: "actions" }, toggle,
      sql ? copy(panel, "sql", text("copySql")) : null,
      python ? copy(panel, "python", text("copyPython")) : null,
      link(panel, "csv"), link(panel, "parquet")));
};

/** Make the places of a page's panels. */
export const drawPlaces = (newHead) => {
  head = newHead;
  byId("panels").replaceChildren(...head.panels.map(({ name, kind, isWide }) => {
    const hint = `hints.${head.view.page}.${name}`;
    // A figure that the chart can show is also the choice of it.
    const isChoice = kind === "figure" && head.options.measure?.includes(name);
    const label = isChoice
      ? element("button", { type: "button", class: "link", onclick: () => go({ measure: name }) }, title(name))
      : title(name);
    const classes = `panel ${kind}${isWide ? " wide" : ""}`;
    return element("section", { class: classes, id: `panel-${name}`, "aria-labelledby": `title-${name}`,
      "aria-busy": "true" },
    element("div", { class: "head" }, element("h2", { id: `title-${name}` }, label)),
    has(hint) ? element("p", { class: "hint" }, text(hint)) : null,
    element("div", { class: "body" }, element("p", { class: "wait" }, "…")));
  }));
};

/** What a row says in words, above a chart or a table; nothing without a row. */
const note = (panel, row) => {
  if (!row?.rows.length) return null;
  const values = row.columns.map(({ name, kind }, i) => {
    const value = write(row.rows[0][i], kind);
    return [name, kind === "text" ? `\u2068${value}\u2069` : value]; // isolated, as in `bdi`
  });
  return element("p", { class: "note" }, text(`notes.${head.view.page}.${panel}`, Object.fromEntries(values)));
};

const body = (place) => place.querySelector(".body");

const drawers = {
  figure: (place, _name, content) => {
    body(place).replaceChildren(...figure(content));
    return null;
  },
  chart: (place, name, content) => {
    const canvas = element("div", { class: "chart" });
    const shown = table(content.table, { caption: title(name), grain: content.grain, currency: content.currency,
      filters: content.filters, sets: content.sets });
    shown.hidden = true;
    body(place).replaceChildren(...[note(name, content.note), canvas, shown].filter(Boolean));
    if (!content.table.rows.length) canvas.replaceChildren(element("p", { class: "empty" }, text("empty")));
    else chart(canvas, content, head.view.language).catch((error) => {
      canvas.replaceChildren(element("p", { class: "problem" }, error.message));
      shown.hidden = false;
    });
    return shown;
  },
  table: (place, name, content) => {
    const shown = table(content.table, { caption: title(name), filters: content.filters, sets: content.sets,
      links: content.links, following: content.following, bars: content.bars });
    body(place).replaceChildren(...[note(name, content.note), shown].filter(Boolean));
    return null;
  },
  steps: (place, _name, content) => {
    drawSteps(body(place), content);
    return null;
  },
};

/** Keep the places of the page's panels, and say whether they are the same as before. */
export const keepPlaces = (newHead) => {
  const isSame = JSON.stringify(newHead.panels) === JSON.stringify(head?.panels);
  if (isSame) head = newHead;
  return isSame;
};

/** Draw what one panel shows, or why it shows nothing; one that somebody uses is not drawn again quietly. */
export const drawPanel = ({ panel, content, problem }, isQuiet = false) => {
  const place = byId(`panel-${panel}`);
  if (isQuiet && (place.contains(document.activeElement) || place.querySelector(".more[open]"))) return;
  const wasTable = isQuiet && place.querySelector("[data-table]")?.getAttribute("aria-expanded") === "true";
  place.removeAttribute("aria-busy");
  if (problem !== undefined) {
    body(place).replaceChildren(element("p", { class: "problem" }, problem));
    return;
  }
  const { kind } = head.panels.find(({ name }) => name === panel);
  const shown = drawers[kind](place, panel, content);
  place.querySelector(".more")?.remove();
  place.querySelector(".head").append(actions(panel, content, shown));
  if (wasTable) place.querySelector("[data-table]").click();
};
