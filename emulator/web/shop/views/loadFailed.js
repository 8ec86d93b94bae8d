// What is shown when the shop cannot be opened.
import { element } from "../element.js";

export const loadFailedView = (error, tryAgain) => [
  element(
    "section",
    { class: "message", role: "alert" },
    element("h1", {}, "The shop cannot be opened"),
    element("p", {}, "Its products or the address of the collector could not be loaded. Is the local stack running?"),
    element("p", { class: "detail" }, error.message),
    element("button", { type: "button", class: "button", on: { click: tryAgain } }, "Try again"),
  ),
];
