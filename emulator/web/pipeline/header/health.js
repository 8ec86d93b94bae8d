// The lights: whether each part of the stack is up, what is wrong if it is not, and whether events are a sample.

import { ask, poll } from "../api.js";
import { byId, element, othersText } from "../element.js";

const POLL_MS = 2000;
let shown = null;

const light = ([name, { state, where, detail, pending, failing }]) =>
  element("li", { "data-part": name, "data-state": state, title: [where, detail].filter(Boolean).join(" · ") },
    element("strong", {}, name), " ", element("span", { class: "light-state" }, state),
    pending ? ` ${pending} waiting` : null, failing ? ` ${failing} failing` : null,
    detail ? othersText("light-detail", detail) : null);

const show = (parts) => {
  const text = JSON.stringify(parts);
  if (text === shown) return;
  shown = text;
  byId("lights").replaceChildren(...Object.entries(parts).map(light));
};

const refresh = async () => {
  try {
    const { parts, sample } = await ask("/api/health", { expected: [503] });
    show(sample ? { ...parts, events: { state: "included", detail: sample } } : parts);
  } catch (error) {
    show({ emulator: { state: "down", where: location.origin, detail: error.message } });
  }
};

/** Show them from now on. */
export const watchHealth = () => poll(refresh, () => POLL_MS);
