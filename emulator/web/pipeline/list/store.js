// All known traces, by id and in order, and the ones that match the filter.

import { cameAt } from "../trace.js";
import { searchText } from "./filter.js";
import { placeOf, put, take } from "./ordered.js";

export const MOST_TRACES = 10_000;

/**
 * An entry holds a trace, when it came in (`at`, ms), its number in order of arrival, and the text that is searched.
 * Entries never change: a trace that changed gets another entry. `onChange` gets the new and changed traces.
 */
export const createStore = (onChange) => {
  let entries = new Map();
  let all = [];
  let shown = []; // the entries that match, in the same order
  let matches = () => true;
  let numbers = 0;
  let arrivedShown = 0; // how many matching entries ever came in
  let forgotten = false;
  let waiting = null; // while paused: the newest version of each trace that came in
  let isResetWaiting = false;

  const entryOf = (trace) => {
    const former = entries.get(trace.id);
    return { trace, at: cameAt(trace), number: former?.number ?? ++numbers, text: searchText(trace) };
  };
  const remember = (trace) => {
    const [former, entry] = [entries.get(trace.id), entryOf(trace)];
    if (former && former.at !== entry.at) [all, shown].forEach((list) => take(list, former));
    entries.set(trace.id, entry);
    put(all, entry);
    if (!matches(entry)) take(shown, entry);
    else if (put(shown, entry) && !former) arrivedShown++;
  };
  const forgetOldest = () => {
    const oldest = all.splice(0, Math.max(0, all.length - MOST_TRACES));
    if (!oldest.length) return;
    for (const entry of oldest) entries.delete(entry.trace.id);
    shown.splice(0, placeOf(shown, all[0]));
    forgotten = true;
  };
  const clear = () => {
    [entries, all, shown, forgotten] = [new Map(), [], [], false];
  };
  const hold = (traces) => {
    for (const trace of traces) {
      waiting.delete(trace.id);
      waiting.set(trace.id, trace);
    }
    for (const id of waiting.keys()) {
      if (waiting.size <= MOST_TRACES) break;
      waiting.delete(id);
    }
  };
  const add = (traces) => {
    traces.forEach(remember);
    forgetOldest();
    onChange(traces);
  };

  return {
    add: (traces) => (waiting ? (hold(traces), onChange([])) : add(traces)),
    reset() {
      if (waiting) [isResetWaiting, waiting] = [true, new Map()];
      else clear();
      onChange([]);
    },
    setFilter(wanted) {
      matches = wanted;
      shown = all.filter(matches);
      onChange([]);
    },
    pause() {
      waiting = new Map();
    },
    resume() {
      const held = [...waiting.values()];
      if (isResetWaiting) clear();
      [waiting, isResetWaiting] = [null, false];
      add(held);
    },
    get: (id) => entries.get(id),
    /** The index of an entry in the shown list; the newest has 0. If it is not shown: the index it would have. */
    indexOf(entry) {
      const place = placeOf(shown, entry);
      return shown.length - 1 - place + (shown[place]?.number === entry.number ? 0 : 1);
    },
    at: (index) => shown[shown.length - 1 - index],
    get shownSize() {
      return shown.length;
    },
    get size() {
      return all.length;
    },
    get arrivedShown() {
      return arrivedShown;
    },
    get hasForgotten() {
      return forgotten;
    },
    get isPaused() {
      return waiting !== null;
    },
    get held() {
      return waiting?.size ?? 0;
    },
  };
};
