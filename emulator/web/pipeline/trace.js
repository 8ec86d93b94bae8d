// What a trace says: its state and badges, its five steps with their times, and the colour of its session.

import { element } from "./element.js";

const MEANINGS = {
  stored: ["waiting", "Stored in S3. The projector has not processed it yet."],
  failed: ["failed – retrying", "Its projection failed and will be tried again. The object is safe in S3."],
  row: ["row", "Its row is in the warehouse."],
  duplicate: ["duplicate", "Another object with this event id already has the row. Each event id has one row."],
  erased: ["erased", "Its client or user was erased. The warehouse accepts no more of their events."],
  rejected: ["rejected", "The object is not a JSON object. It stays in S3 and is listed in clickstream_rejects."],
  gone: ["gone", "The object vanished from S3 before it was projected."],
  refused: ["refused", "The ingest Lambda did not accept it. Nothing was stored, so its body is not kept."],
};

export const STATES = Object.keys(MEANINGS);

export const labelOf = (state) => MEANINGS[state]?.[0] ?? state;

export const meaningOf = (state) => MEANINGS[state]?.[1] ?? "";

/** The badges of a trace: pairs of a kind, which decides the colour, and a text. */
export const badgesOf = (trace) => {
  const state = trace.state === "refused" && trace.status ? `refused ${trace.status}` : labelOf(trace.state);
  const badges = [[trace.state, state]];
  if (trace.isLate) badges.push(["late", "late"]);
  if (trace.deliveries > 1) badges.push(["deliveries", `×${trace.deliveries}`]);
  return badges;
};

/** The badges of a trace, as elements. */
export const badgeElements = (trace) =>
  badgesOf(trace).map(([kind, text]) => element("span", { class: "badge", "data-state": kind }, text));

/** Whether a trace has a badge of this kind: its state, "late" or "deliveries". */
export const isIn = (trace, state) => badgesOf(trace).some(([kind]) => kind === state);

export const STEPS = [
  ["sent", "sentAt", "the publisher's clock"],
  ["accepted", "acceptedAt", "ingest received it"],
  ["stored", "storedAt", "the object is in S3"],
  ["projected", "projectedAt", "the projector processed it"],
  ["row", "rowAt", "its row was committed"],
];

// The step that failed, by state.
const FAILED_AT = { refused: "accepted", failed: "projected", gone: "projected", rejected: "row" };
const UNITS = [
  [1000, 1, "ms", 0],
  [60_000, 1000, "s", 1],
  [3_600_000, 60_000, "min", 1],
  [86_400_000, 3_600_000, "h", 1],
  [Infinity, 86_400_000, "d", 0],
];

const kindOf = (trace, name, at, isPassed) => {
  if (FAILED_AT[trace.state] === name) return "failed";
  if (at !== null) return "done";
  if (isPassed) return "unknown";
  return ["duplicate", "erased"].includes(trace.state) && name === "row" ? "skipped" : "open";
};

const millis = (iso) => (iso ? Date.parse(iso) : null);

/** The five steps: `name`, `meaning`, `at` (ms), `took` (ms since the last known step), and `kind`: how it went. */
export const stepsOf = (trace) => {
  const last = STEPS.findLastIndex(([, field]) => trace[field]);
  let before = null;
  return STEPS.map(([name, field, meaning], i) => {
    const at = millis(trace[field]);
    const took = at !== null && before !== null ? at - before : null;
    before = at ?? before;
    return { name, meaning, at, took, kind: kindOf(trace, name, at, i < last) };
  });
};

/** The ms from the first known step to the last; null while the event is under way. */
export const totalOf = (trace) => {
  if (["stored", "failed", "refused", "gone"].includes(trace.state)) return null;
  const known = stepsOf(trace).filter((step) => step.at !== null);
  return known.length > 1 ? known.at(-1).at - known[0].at : null;
};

/** A duration in ms, short: `12 ms`, `1.2 s`, `3.0 min`. */
export const duration = (ms) => {
  const [, unit, name, digits] = UNITS.find(([most]) => Math.abs(Math.round(ms)) < most);
  return `${(ms / unit).toFixed(digits).replace("-", "−")} ${name}`;
};

export const added = (ms) => (ms < 0 ? duration(ms) : `+${duration(ms)}`);

const two = (number) => String(number).padStart(2, "0");

/** A time of day, local, with milliseconds. */
export const clock = (ms) => {
  const at = new Date(ms);
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${time}.${String(at.getMilliseconds()).padStart(3, "0")}`;
};

/** When a trace came in, in ms: when it was accepted, or else the first known time. */
export const cameAt = (trace) =>
  millis(trace.acceptedAt ?? trace.storedAt ?? trace.sentAt ?? trace.projectedAt ?? trace.rowAt) ?? 0;

/** The colour of a session, as a hue in degrees; the same session always has the same. */
export const hueOf = (session) => {
  let hash = 2_166_136_261; // FNV-1a
  for (let i = 0; i < session.length; i++) hash = Math.imul(hash ^ session.charCodeAt(i), 16_777_619);
  return (hash >>> 0) % 360;
};
