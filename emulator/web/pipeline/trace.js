// What the states of a trace are called, and what they mean.

const MEANINGS = {
  stored: ["waiting", "Stored in S3. The projector has not had it yet."],
  failed: ["failed – retrying", "Its projection failed, and is tried again. The object is safe in S3."],
  row: ["row", "Its row is in the warehouse."],
  duplicate: ["duplicate", "Its event id had a row already, from another object. There is one row per event id."],
  erased: ["erased", "Its client or user was erased: the warehouse takes no more rows of them."],
  rejected: ["rejected", "The object is no JSON object: it stays in S3, and is named in clickstream_rejects."],
  gone: ["gone", "The object vanished from S3 before it was projected."],
  refused: ["refused", "The ingest Lambda did not accept it. Nothing was stored, and what was sent is not kept."],
};

export const STATES = Object.keys(MEANINGS);

export const labelOf = (state) => MEANINGS[state]?.[0] ?? state;

export const meaningOf = (state) => MEANINGS[state]?.[1] ?? "";

/** Everything to say about a trace at a glance: pairs of a kind, for the colour, and a text. */
export const badgesOf = (trace) => {
  const state = trace.state === "refused" && trace.status ? `refused ${trace.status}` : labelOf(trace.state);
  const badges = [[trace.state, state]];
  if (trace.isLate) badges.push(["late", "late"]);
  if (trace.deliveries > 1) badges.push(["deliveries", `×${trace.deliveries}`]);
  return badges;
};

/** Whether a trace is in a state, or has one of the marks "late" and "deliveries". */
export const isIn = (trace, state) => badgesOf(trace).some(([kind]) => kind === state);
