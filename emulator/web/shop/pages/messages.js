// Pages that have only a few words to say, and a way on.
import { element } from "../parts/element.js";

export const message = (heading, text, way = "Look around the shop") => [
  element(
    "section",
    { class: "message" },
    element("h1", {}, heading),
    element("p", {}, text),
    element("a", { href: "/", class: "button" }, way),
  ),
];

export const notFoundView = () => ({
  title: "Not found",
  content: message("Not found", "There is no such page, or it is no longer on our shelves.", "Back to the shop"),
});

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
