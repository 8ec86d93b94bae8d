// Asks the emulator's API, once or again and again, and turns its errors into messages.

// A BIGINT does not fit a JavaScript number: such numbers keep their spelling.
const exact = (_name, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) && context?.source ? context.source : value;

const parse = (text) => {
  try {
    return JSON.parse(text, exact);
  } catch {
    return null;
  }
};

const sent = (method, body) => ({
  method,
  headers: body && { "Content-Type": "application/json" },
  body: body && JSON.stringify(body),
});

const answerTo = async (path, request) => {
  try {
    return await fetch(path, request);
  } catch {
    throw new Error("The emulator does not answer. Is it running?");
  }
};

/** What the API answers. Throws an Error with its message, and its `status`, unless it is 2xx or one of `expected`. */
export const ask = async (path, { method = "GET", body, expected = [] } = {}) => {
  const response = await answerTo(path, sent(method, body));
  const answer = parse(await response.text());
  if ((response.ok && answer) || expected.includes(response.status)) return answer;
  throw Object.assign(new Error(answer?.message ?? `${method} ${path} was answered ${response.status}.`), {
    status: response.status,
  });
};

/** Where the API tells about an event, by its id or by the key of its object. */
export const eventPath = (name) => `/api/events/${name.split("/").map(encodeURIComponent).join("/")}`;

/** Call `action` now, and then again `delay()` milliseconds after each time it has ended. */
export const poll = async (action, delay) => {
  if (!document.hidden) await action();
  setTimeout(poll, delay(), action, delay);
};
