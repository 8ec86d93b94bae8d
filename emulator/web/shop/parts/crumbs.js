// The way back up: home, then the category.
import { element } from "./element.js";

export const crumbs = (...links) =>
  element(
    "nav",
    { class: "crumbs", "aria-label": "Breadcrumb" },
    element(
      "ol",
      { role: "list" },
      ...[["Home", "/"], ...links].map(([name, href]) => element("li", {}, element("a", { href }, name))),
    ),
  );
