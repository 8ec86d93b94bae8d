// The texts that stand in for an empty list.

import { ask } from "../api.js";
import { byId, copyButton } from "../element.js";

const RETRY_MS = 2000;

const example = (endpoint) =>
  `curl -H 'Content-Type: application/json' -d '{"eventName": "page_view"}' ${endpoint}`;

/** Show how to post an event, with the real endpoint. */
export const showExample = async () => {
  try {
    const { endpoint } = await ask("/api/stack");
    byId("example").textContent = example(endpoint);
    byId("example-copy").replaceChildren(copyButton("copy-example", "Copy", () => example(endpoint)));
  } catch {
    setTimeout(showExample, RETRY_MS);
  }
};

/** Show the text for no events, or for no match, if one applies. */
export const showEmpty = (store) => {
  byId("nothing").hidden = store.size > 0;
  byId("no-match").hidden = store.size === 0 || store.shownSize > 0;
};
