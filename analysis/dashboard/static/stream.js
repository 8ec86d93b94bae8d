// Asks the server: for the lines of a view, which come one after the other, and for single values. A report has
// embedded.js in the place of this module.

/** What the page is called, and what begins the part of its address that holds the view. */
export const name = "dashboard";
export const mark = "?";

/** Whether the view can be shown with changes of the address: a server can show any. */
export const canShow = (_changes) => true;

/** The name of the text that says how many rows of a table are there. */
export const cut = "rows";

// A newer view of the same tab stops the older one.
const TAB = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");

const answerTo = async (path, options) => {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the dashboard does not answer: is it running?", { cause: error });
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.message ?? `${path} was answered ${response.status}`);
};

/** Call `each` with each line; `isAnew` reads the events again. Throws the server's message, or AbortError. */
export const stream = async (query, signal, isAnew, each) => {
  const cache = isAnew ? "reload" : "default";
  const response = await answerTo(`api/view?${query}`, { signal, cache, headers: { "X-Tab": TAB } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) each(JSON.parse(line));
  }
};

/** The values of a filter, the most frequent first. */
export const valuesOf = async (filter, query) =>
  (await (await answerTo(`api/values/${filter}?${query}`)).json()).values;

/** A panel's figures as text to copy: `sql` or `python`. */
export const textOf = async (panel, language, query, _content) =>
  (await (await answerTo(`api/panels/${panel}/${language}?${query}`)).json()).text;

/** The files of a panel's figures: the attributes of a link to each, by format. */
export const files = (panel, _content, query) => Object.fromEntries(
  ["csv", "parquet"].map((format) => [format, { href: `api/panels/${panel}.${format}?${query}`, download: "" }]));
