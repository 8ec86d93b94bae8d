// The pipeline view: starts the page's parts, and wires them to each other.

import { createFaults } from "./controls/faults.js";
import { createReset } from "./controls/reset.js";
import { createShoppers } from "./controls/shoppers.js";
import { createDetail } from "./detail/detail.js";
import { byId, setText } from "./element.js";
import { createFigures, showFigures } from "./header/figures.js";
import { watchHealth } from "./header/health.js";
import { showEmpty, showExample } from "./list/empty.js";
import { createFilter } from "./list/filter.js";
import { wireKeys } from "./list/keys.js";
import { createList } from "./list/list.js";
import { createStore, MOST_TRACES } from "./list/store.js";
import { listen } from "./stream.js";

const CONNECTIONS = { live: "live", lost: "stream lost, reconnecting …" };

const isPanel = new URLSearchParams(location.search).has("panel");
const count = (number) => number.toLocaleString("en");

const shownCount = () => {
  const all = store.hasForgotten ? `the last ${count(MOST_TRACES)}` : count(store.size);
  return store.shownSize === store.size ? `${all} events` : `${count(store.shownSize)} of ${all} events`;
};

const showPause = () => {
  byId("pause").ariaPressed = store.isPaused;
  setText(byId("pause"), store.isPaused ? `Resume (${count(store.held)} changes)` : "Pause");
};

const changed = (traces) => {
  filter.offer(traces.map((trace) => trace.eventName));
  list.schedule();
  detail.changed(traces);
  setText(byId("shown-count"), shownCount());
  showPause();
  showEmpty(store);
};

const store = createStore(changed);
const filter = createFilter((matches) => {
  store.setFilter(matches);
  list.toTop();
});
const pick = (trace) => {
  const entry = store.get(trace.id);
  if (entry) list.select(entry);
  else detail.open(trace); // this page forgot it, the emulator did not
};
const detail = createDetail({ onClose: () => list.unselect(), onPick: pick });
const list = createList(store, ({ trace }) => detail.open(trace));

const pause = () => {
  if (store.isPaused) store.resume();
  else store.pause();
  showPause();
};

const showConnection = (state) => {
  byId("connection").dataset.state = state;
  setText(byId("connection"), CONNECTIONS[state]);
};

document.documentElement.classList.toggle("panel", isPanel);
byId("controls").open = !isPanel && matchMedia("(min-width: 700px)").matches;
byId("pause").addEventListener("click", pause);
wireKeys(store, list, detail.close);
createFigures();
createFaults();
createShoppers();
createReset();
watchHealth();
showExample();
listen({
  onConnection: showConnection,
  onReset() {
    store.reset();
    if (!store.isPaused) detail.close();
  },
  onTraces: store.add,
  onStats: showFigures,
});
