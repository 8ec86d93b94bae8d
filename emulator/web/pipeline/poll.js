// Asks again and again, while the page can be seen.

/** Call `action` now, and then again `delay()` milliseconds after each time it has ended. */
export const poll = async (action, delay) => {
  if (!document.hidden) await action();
  setTimeout(poll, delay(), action, delay);
};
