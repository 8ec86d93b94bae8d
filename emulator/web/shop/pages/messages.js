// A page that has only a few words to say, and a way on.
import { element } from "../element.js";

export const message = (heading, text, way = "Look around the shop") => [
  element(
    "section",
    { class: "message" },
    element("h1", {}, heading),
    element("p", {}, text),
    element("a", { href: "/", class: "button" }, way),
  ),
];
