// Shows what went wrong in the place where it was asked for.

import { byId } from "../element.js";

/** Do it; if it throws, show its message in the element of this id, else hide that. */
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
