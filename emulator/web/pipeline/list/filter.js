// The filter: words, an event name and a state decide which traces are shown.

import { byId, element } from "../element.js";
import { isIn, labelOf, STATES } from "../trace.js";

const MOST_NAMES = 200;
const SEARCHED = ["eventName", "sessionId", "productName", "eventId", "userId", "reason"];

/** The text in which the words are looked for. */
export const searchText = (trace) =>
  SEARCHED.map((field) => trace[field] ?? "").join("\n").toLowerCase();

/** A function that says whether an entry of the store matches the filter. */
const matcher = ({ words, name, state }) => {
  const asked = words.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ trace, text }) =>
    (!name || trace.eventName === name) && (!state || isIn(trace, state)) && asked.every((word) => text.includes(word));
};

const option = (value, text = value) => element("option", { value, title: text }, text);

const offerStates = (select) => {
  select.append(...STATES.map((state) => option(state, labelOf(state))));
  select.append(option("late"), option("deliveries", "delivered ×2 or more"));
};

/** Wire the filter's inputs; `onChange` gets a matcher. `offer` adds the names of events that were seen. */
export const createFilter = (onChange) => {
  const [words, name, state] = ["filter", "name-filter", "state-filter"].map(byId);
  const offered = new Set();
  const change = () => onChange(matcher({ words: words.value, name: name.value, state: state.value }));
  offerStates(state);
  for (const each of [words, name, state]) each.addEventListener("input", change);
  const clear = () => {
    for (const each of [words, name, state]) each.value = "";
    change();
  };
  byId("clear-filter").addEventListener("click", clear);
  return {
    offer(names) {
      for (const each of names) {
        if (!each || offered.has(each) || offered.size >= MOST_NAMES) continue;
        offered.add(each);
        const after = [...name.options].slice(1).find((other) => other.value > each);
        name.insertBefore(option(each), after ?? null);
      }
    },
  };
};
