// A labelled field of a form. It is checked by the browser.
import { element } from "./element.js";

export const field = (id, label, attributes) =>
  element(
    "p",
    { class: "field" },
    element("label", { for: id }, label),
    element("input", { id, name: id, required: true, ...attributes }),
  );

export const form = (id, submit, ...children) => {
  const made = element("form", { id }, ...children);
  made.addEventListener("submit", (event) => {
    event.preventDefault(); // nothing that was typed leaves the page
    submit(made);
  });
  return made;
};
