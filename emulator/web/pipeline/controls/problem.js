// Shows an error beside the control that caused it.

import { byId } from "../element.js";

/** Run the action. If it throws, show its message in the element of this id, else hide that element. */
export const withProblem = async (id, action) => {
  const place = byId(id);
  try {
    await action();
    place.hidden = true;
  } catch (error) {
    place.textContent = error.message;
    place.hidden = false;
  }
};
