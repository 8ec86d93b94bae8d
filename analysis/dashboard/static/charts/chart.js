// Draws a chart with Vega, in the page's colours, with tooltips of text only.

import { byId, element } from "../element.js";
import { dayTick, named, period, tick, write } from "../format.js";
import { look, numbers } from "./look.js";
import { has, text } from "../texts/texts.js";
import { addFilter, canFilter, go } from "../view.js";

const ERRORS = 1; // of Vega's levels: a chart without values is no reason to warn

const loaded = new Promise((resolve) => {
  if (window.clickstreamVega) resolve();
  else byId("vega").addEventListener("load", () => resolve());
});

const eachEncoding = (spec, visit) => {
  if (spec.encoding) visit(spec.encoding);
  for (const layer of spec.layer ?? []) eachEncoding(layer, visit);
};

/** An axis of dates without a time. */
const days = ({ spec, grain }, { field, axis }) => {
  const dates = Object.values(spec.datasets).flat().map((row) => row[field]);
  const labels = Object.fromEntries(dates.map((date) => [date, dayTick(date, grain)]));
  return { ...axis, labelExpr: `${JSON.stringify(labels)}[datum.value]` };
};

/** Label the axis of time with what the zone's clocks show, and the other axis by the kind of its values. */
const labelled = (content) => {
  const spec = structuredClone(content.spec);
  const labels = Object.fromEntries(content.times.map((time) => [time, tick(time, content.grain)]));
  const kindOf = (field) => content.tooltip.find(({ name }) => name === field)?.kind;
  for (const row of Object.values(spec.datasets ?? {}).flat()) if (row.label) row.label = named("label", row.label);
  eachEncoding(spec, ({ x, y, color }) => {
    if (x?.type === "temporal") {
      // As an expression: the interpreter makes nothing of plain numbers here.
      x.axis = { values: { expr: JSON.stringify(content.times) }, grid: false, labelOverlap: true,
        labelExpr: `${JSON.stringify(labels)}[toNumber(datum.value)]` };
    }
    for (const channel of [x, y].filter((each) => each?.type === "ordinal")) {
      if (kindOf(channel.field) === "date") channel.axis = days(content, channel);
      if (channel.title) channel.title = heading(channel.title);
    }
    const values = [x, y].filter((channel) => channel?.type === "quantitative" && channel.axis !== null);
    for (const channel of values) {
      const kind = kindOf(channel.field) ?? kindOf("value");
      channel.axis = { format: kind === "share" ? ".1~%" : "~s", tickCount: 5,
        ...(kind === "count" && { tickMinStep: 1 }) };
      if (channel.title) channel.title = heading(channel.title);
    }
    if (color?.scale?.domain) {
      const names = Object.fromEntries(color.scale.domain.map((name) => [name, heading(name)]));
      color.legend = { title: null, labelExpr: `${JSON.stringify(names)}[datum.label]` };
    }
  });
  return spec;
};

const heading = (name) => (has(`columns.${name}`) ? text(`columns.${name}`) : String(name).replaceAll("_", " "));

const shown = (content, name, kind, value) => {
  if (name === "period" || name === "hour") return period(Number(new Date(value)), content.grain);
  return String(named(name, write(value, kind, content.currency)));
};

const tooltip = (content) => (_handler, event, _item, value) => {
  const box = byId("tooltip");
  box.hidden = !value || typeof value !== "object";
  if (box.hidden) return;
  const rows = content.tooltip.filter(({ name }) => value[name] !== undefined && name !== "is_complete");
  box.replaceChildren(
    element("dl", {}, ...rows.flatMap(({ name, kind, label }) => [element("dt", {}, heading(label)),
      element("dd", {}, element("bdi", {}, shown(content, name, kind, value[name])))])),
    ...(value.is_complete === false ? [element("p", {}, text("notComplete"))] : []),
  );
  const left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
  const top = Math.min(event.clientY + 14, innerHeight - box.offsetHeight - 8);
  box.style.setProperty("left", `${Math.max(left, 8)}px`);
  box.style.setProperty("top", `${Math.max(top, 8)}px`);
};

// A mark filters by its value or sets an option, and a period of a day or more becomes the range.
const clicked = (content, datum) => {
  for (const [field, filter] of Object.entries(content.filters)) {
    if (canFilter(filter, datum[field])) return addFilter(filter, String(datum[field]));
  }
  for (const [field, [option, key]] of Object.entries(content.sets)) {
    if (datum[field] !== undefined && datum[field] !== null) return go({ [option]: String(datum[key]) });
  }
  if (datum.period && datum.period_end && content.grain !== "hour") {
    const [start, end] = [datum.period, datum.period_end].map((time) => new Date(time).toISOString());
    go({ range: null, start, end });
  }
  return undefined;
};

/** Draw a chart into a place. */
export const chart = async (place, content, language) => {
  await loaded;
  const { view } = await window.clickstreamVega.embed(place, labelled(content), {
    ast: true, actions: false, defaultStyle: false, renderer: "svg", logLevel: ERRORS,
    config: look(), formatLocale: numbers(language),
    tooltip: tooltip(content), loader: { load: () => Promise.reject(new Error("charts load nothing")) },
  });
  view.addEventListener("click", (_event, item) => item?.datum && clicked(content, item.datum));
  return view;
};
