// The bar that is always there: range, comparison, clock, bots and filters, and the options of the page.

import { byId, element, select } from "../element.js";
import { dateField, named } from "../format.js";
import { options } from "./options.js";
import { savedMenu } from "./saved.js";
import { valuesOf } from "../stream.js";
import { text } from "../texts/texts.js";
import { addFilter, dropFilter, go, refresh } from "../view.js";

const DAY_MS = 86_400_000;
const LOGIN = "login";
const STATES = ["logged_in", "anonymous"];

const choices = (names, prefix) => names.map((name) => [name, text(`${prefix}.${name}`)]);

const range = ({ presets, view }) => {
  const own = view.preset === null ? [["", text("ranges.own")]] : [];
  return select("range", text("range"), [...choices(presets, "ranges"), ...own], view.preset ?? "", (value) =>
    go({ range: value, start: null, end: null }));
};

// The last day is in the range on the screen; in the address, the end is the day after it.
const dayAfter = (day) => new Date(Date.parse(`${day}T00:00Z`) + DAY_MS).toISOString().slice(0, 10);

const dates = ({ within }) => {
  const field = (name, label, value) => {
    const input = element("input", { type: "date", name, value, required: true, onchange: () => change() });
    return [input, element("label", {}, element("span", {}, text(label)), input)];
  };
  const [from, first] = field("from", "from", dateField(within[0]));
  const [until, last] = field("until", "until", dateField(within[1] - 1));
  const change = () => {
    if (from.value && until.value) go({ range: null, start: from.value, end: dayAfter(until.value) });
  };
  return [first, last];
};

const zones = ({ view }) => {
  const names = [...new Set([view.zone, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  return select("zone", text("zone"), names.map((name) => [name, name]), view.zone, (value) => go({ zone: value }));
};

const filterValues = async (name, head) =>
  name === LOGIN ? STATES.map((state) => [state, null]) : valuesOf(name, head.query);

// The values of a filter are asked for when it is chosen.
const filterMenu = (head) => {
  const names = [LOGIN, ...head.filters];
  const menu = select("filter", text("addFilter"), [["", text("noFilter")], ...choices(names, "filters")], "", (name) =>
    name && open(name));
  for (const option of menu.querySelectorAll("option")) {
    const reason = head.reasons[option.value];
    if (!reason) continue;
    option.disabled = true;
    option.textContent += ` – ${reason}`;
  }
  const place = element("span", { class: "values" });
  const open = async (name) => {
    let values;
    try {
      values = await filterValues(name, head);
    } catch (error) {
      place.replaceChildren(element("span", { class: "problem", role: "alert" }, error.message));
      return;
    }
    const shown = values.map(([value, count]) =>
      [value, count === null ? named(name, value) : `${named(name, value)} (${count})`]);
    const label = text(`filters.${name}`);
    const chosen = select("value", label, [["", text("chooseValue")], ...shown], "", (value) =>
      value && addFilter(name, value));
    place.replaceChildren(chosen);
    chosen.querySelector("select").focus();
  };
  return [menu, place];
};

const copyLink = ({ fixed }) => {
  const button = element("button", { type: "button", id: "copy-link" }, text("copyLink"));
  button.addEventListener("click", () => navigator.clipboard
    .writeText(`${location.origin}${location.pathname}?${fixed}`)
    .then(() => { button.textContent = text("copied"); }, () => { button.textContent = text("notCopied"); }));
  return button;
};

const disabled = (reason) => ({ disabled: Boolean(reason), title: reason ?? null });

/** Draw the bar for the head of an answer. */
export const drawBar = (head) => {
  const { view, reasons } = head;
  const focused = document.activeElement?.name;
  byId("bar").replaceChildren(
    range(head), ...dates(head), zones(head),
    select("compare", text("compare"), choices(["none", "previous", "week", "year"], "compare"), view.comparison,
      (value) => go({ compare: value })),
    select("clock", text("clock"), choices(["received", "occurred"], "clock"), view.clock,
      (value) => go({ clock: value }), disabled(reasons.clock)),
    select("bots", text("bots"), choices(["0", "1"], "bots"), reasons.bots || view.bots ? "1" : "0",
      (value) => go({ bots: value }), disabled(reasons.bots)),
    ...filterMenu(head), ...options(head), ...savedMenu(head), copyLink(head),
    element("button", { type: "button", id: "refresh", onclick: refresh }, text("refresh")),
  );
  if (focused) byId("bar").elements[focused]?.focus?.();
  // An option without a menu has a chip, but for the place in a list, which has buttons.
  const opened = Object.entries(view.options).filter(([name]) => name !== "place" && !head.options[name].length);
  const chosen = { ...(view.login && { [LOGIN]: [view.login] }), ...view.filters };
  byId("chips").replaceChildren(...opened.map(([name, value]) => {
    const label = text("dropOption", { name: text(`options.${name}`), value });
    return element("button", { type: "button", class: "chip", "aria-label": label,
      onclick: () => go({ [name]: null, place: null }) },
    element("span", {}, `${text(`options.${name}`)}: `), element("bdi", {}, value), " ✕");
  }), ...Object.entries(chosen).flatMap(([name, values]) => values.map((value) => {
    const label = text("dropFilter", { name: text(`filters.${name}`), value: named(name, value) });
    return element("button", { type: "button", class: "chip", "aria-label": label,
      onclick: () => (name === LOGIN ? go({ [LOGIN]: null }) : dropFilter(name, value)) },
    element("span", {}, `${text(`filters.${name}`)}: `), element("bdi", {}, String(named(name, value))), " ✕");
  })));
};
