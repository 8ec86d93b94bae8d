// The switches of the six faults, and a banner that names the faults that are on.

import { ask, poll } from "../api.js";
import { byId, element, setText } from "../element.js";
import { withProblem } from "./problem.js";

const POLL_MS = 2000;
const FAULTS = [
  ["triggersTwice", "Triggers twice", "The projector runs twice per object. Still one row: look for ×2."],
  ["triggersLate", "Triggers late", "Each trigger arrives 5 s late. Rows follow and are marked late."],
  ["triggersOutOfOrder", "Triggers out of order", "Triggers are shuffled within 2 s. The rows are the same."],
  ["triggersOff", "Triggers off", "No trigger arrives. Events wait in S3 until this switch is off again."],
  ["storageDown", "Storage down", "Ingest answers 503. The publisher keeps its events and sends them again."],
  ["warehouseDown", "Warehouse down", "Events wait in S3. Their rows appear when it is back."],
];
let isChanging = false;

const inputOf = (name) => byId(`fault-${name}`);

const show = (faults) => {
  for (const [name] of FAULTS) inputOf(name).checked = faults[name];
  const on = FAULTS.filter(([name]) => faults[name]).map(([, title]) => title.toLowerCase());
  byId("fault-banner").hidden = on.length === 0;
  setText(byId("fault-banner-text"), `Fault switched on: ${on.join(", ")}.`);
};

const setChanging = (changing) => {
  isChanging = changing;
  byId("faults").ariaBusy = changing;
  for (const [name] of FAULTS) inputOf(name).disabled = changing;
  byId("faults-off").disabled = changing;
};

const read = async () => {
  const faults = await ask("/api/faults");
  if (!isChanging) show(faults);
};

const change = async (wanted) => {
  const focused = document.activeElement;
  setChanging(true);
  await withProblem("faults-problem", async () => show(await ask("/api/faults", { method: "PUT", body: wanted })));
  setChanging(false);
  (focused.offsetParent ? focused : inputOf(FAULTS[0][0])).focus(); // it lost the focus when it was disabled
  await read().catch(() => {}); // after an error, show the real state; if this fails too, the message stays
};

const switchElement = ([name, title, effect]) => {
  const input = element("input", {
    id: `fault-${name}`, type: "checkbox", role: "switch", "data-fault": name, "aria-describedby": `effect-${name}`,
    onchange: () => change({ [name]: input.checked }),
  });
  return element("li", {}, element("label", {}, input, element("span", {}, title)),
    element("small", { id: `effect-${name}` }, effect));
};

const allOff = () => change(Object.fromEntries(FAULTS.map(([name]) => [name, false])));

/** Put the switches into the page, and show from now on which are on. */
export const createFaults = () => {
  byId("fault-switches").append(...FAULTS.map(switchElement));
  byId("faults-off").addEventListener("click", allOff);
  poll(() => (isChanging ? null : read().catch(() => {})), () => POLL_MS); // the lights say that nothing answers
};
