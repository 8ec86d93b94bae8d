// Writes numbers, amounts, times and names as people of the page's language read them.

import { has, text } from "./texts/texts.js";

let locale = "en";
let zone = "UTC";

/** Choose the language and the time zone of everything that is written from now on. */
export const speak = (language, timeZone) => {
  locale = language === "vi" ? "vi-VN" : "en-GB";
  zone = timeZone;
};

const date = (value, options) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }).format(value);
const number = (value, options = {}) => new Intl.NumberFormat(locale, options).format(value);

const money = (value, currency) => {
  try {
    return number(value, { style: "currency", currency });
  } catch {
    return number(value, { maximumFractionDigits: 2 }); // no code of a currency
  }
};

const seconds = (value) => {
  const whole = Math.round(value);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const units = ["hour", "minute", "second"];
  const found = parts.findIndex((part) => part > 0);
  const first = found === -1 ? 2 : found; // nothing is 0 s
  const written = parts.slice(first, first + 2).map((part, i) =>
    number(part, { style: "unit", unit: units[first + i], unitDisplay: "narrow" }));
  return written.join(" ");
};

const WRITERS = {
  count: (value) => number(value, { maximumFractionDigits: 2 }),
  share: (value) => number(value, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  change: (value) => number(value, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 1 }),
  money,
  seconds,
  time: (value) => date(value, { dateStyle: "medium", timeStyle: "short" }),
  second: (value) => date(value, { dateStyle: "medium", timeStyle: "medium" }),
  day: (value) => date(value, { weekday: "short", day: "numeric", month: "short", year: "numeric" }),
  date: (value) => new Intl.DateTimeFormat(locale, { timeZone: "UTC", dateStyle: "medium" }).format(new Date(value)),
  flag: (value) => text(value ? "yes" : "no"),
  text: (value) => String(value),
};

/** A value of a kind as text; nothing is a dash. */
export const write = (value, kind, currency) =>
  value === null || value === undefined ? "–" : (WRITERS[kind] ?? WRITERS.text)(value, currency);

/** A value that stands for something of ours, such as the outcome of an object, or else a value as it is. */
export const named = (name, value) => (has(`values.${name}.${value}`) ? text(`values.${name}.${value}`) : value);

/** The beginning of a period, short enough for an axis. */
export const tick = (milliseconds, grain) => {
  const isMidnight = date(milliseconds, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) === "00:00";
  if (grain === "hour" && !isMidnight) return date(milliseconds, { hour: "2-digit", minute: "2-digit" });
  if (grain === "month") return date(milliseconds, { month: "short", year: "numeric" });
  return date(milliseconds, { day: "numeric", month: "short" });
};

/** A date without a time, short enough for an axis. */
export const dayTick = (value, grain) => {
  const options = grain === "month" ? { year: "numeric" } : { day: "numeric" };
  return date(new Date(value), { ...options, month: "short", timeZone: "UTC" });
};

/** The beginning of a period in full. */
export const period = (milliseconds, grain) => {
  if (grain === "hour" || grain === "minute") return WRITERS.time(milliseconds);
  if (grain === "month") return date(milliseconds, { month: "long", year: "numeric" });
  const day = WRITERS.day(milliseconds);
  return grain === "week" ? text("weekOf", { day }) : day;
};

/** How much a value changed: relative, but in points for shares; null if that says nothing. */
export const change = (value, previous, kind) => {
  if (value === null || previous === null) return null;
  const difference = Number(value) - Number(previous);
  if (kind === "share") {
    const points = number(difference * 100, { signDisplay: "exceptZero", maximumFractionDigits: 1 });
    return { difference, text: text("points", { points }) };
  }
  if (Number(previous) === 0) return null;
  const relative = difference / Math.abs(Number(previous));
  return { difference, text: WRITERS.change(relative) };
};

/** A range, whose end is excluded. */
export const span = ([start, end]) => {
  const clock = (value) => date(value, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const isWhole = clock(start) === "00:00" && clock(end) === "00:00";
  const options = isWhole ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  const format = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
  return format.formatRange(start, isWhole ? end - 1 : end);
};

/** The date that clocks show, as a field of a form takes it. */
export const dateField = (milliseconds) =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(milliseconds);
