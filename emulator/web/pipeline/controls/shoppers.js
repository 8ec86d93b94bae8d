// The shoppers: starts and stops them, and shows their progress.

import { ask, poll } from "../api.js";
import { byId, setText } from "../element.js";
import { withProblem } from "./problem.js";

const [RUNNING_MS, IDLE_MS] = [1000, 5000];
let isRunning = false;

const number = (value) => value.toLocaleString("en");

const progress = ({ running, sessions, begun, finished, accepted, waiting, refused, lost }) => {
  if (!running && !begun) return "Nobody is shopping.";
  const visits = `${number(begun)} of ${number(sessions)} sessions begun, ${number(finished)} finished`;
  const events = `${number(accepted)} events accepted, ${number(waiting)} waiting, ${number(refused)} refused, ` +
    `${number(lost)} lost`;
  return `${running ? "Shopping" : "Done"}: ${visits} · ${events}.`;
};

const show = (shoppers) => {
  isRunning = shoppers.running;
  byId("shoppers-start").disabled = isRunning;
  byId("shoppers-stop").disabled = !isRunning;
  byId("shoppers").dataset.running = isRunning;
  setText(byId("shoppers-progress"), [progress(shoppers), shoppers.problem].filter(Boolean).join(" "));
};

const read = async () => show(await ask("/api/shoppers"));

const command = (request) =>
  withProblem("shoppers-problem", async () => {
    await ask("/api/shoppers", request);
    await read();
    byId(isRunning ? "shoppers-stop" : "shoppers-start").focus(); // the other one is disabled
  });

const start = (event) => {
  event.preventDefault();
  const body = { sessions: byId("shoppers-sessions").valueAsNumber, rate: byId("shoppers-rate").valueAsNumber };
  return command({ method: "POST", body });
};

/** Wire the form, and show the progress from now on. */
export const createShoppers = () => {
  byId("shoppers").addEventListener("submit", start);
  byId("shoppers-stop").addEventListener("click", () => command({ method: "DELETE" }));
  poll(() => read().catch(() => {}), () => (isRunning ? RUNNING_MS : IDLE_MS)); // the lights say that nothing answers
};
