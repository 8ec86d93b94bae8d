// Buttons that copy a text, and say whether they did.

import { element } from "./element.js";

const SAID_MS = 1500;

/** A button; `text` gives what to copy when it is pressed. */
export const copyButton = (id, label, text) => {
  const button = element("button", { id, type: "button", class: "copy" }, label);
  const say = (words) => {
    button.textContent = words;
    setTimeout(() => { button.textContent = label; }, SAID_MS);
  };
  button.addEventListener("click", () =>
    navigator.clipboard.writeText(text()).then(() => say("Copied"), () => say("Not copied")));
  return button;
};
