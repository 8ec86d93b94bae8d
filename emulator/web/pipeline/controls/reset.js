// Deletes everything, once it has been confirmed.

import { ask } from "../api.js";
import { byId } from "../element.js";
import { withProblem } from "./problem.js";

const reset = async () => {
  byId("reset").disabled = true;
  await withProblem("reset-problem", () => ask("/api/reset", { method: "POST" }));
  byId("reset").disabled = false;
  byId("reset").focus();
};

/** Wire the button and its dialog. */
export const createReset = () => {
  const dialog = byId("reset-dialog");
  byId("reset").addEventListener("click", () => {
    dialog.returnValue = "cancel"; // Escape does not change it
    dialog.showModal();
  });
  dialog.addEventListener("close", () => dialog.returnValue === "delete" && reset());
};
