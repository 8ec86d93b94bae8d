// The links to the pages of the dashboard, and to the other pages of its server.

import { byId, element } from "../element.js";
import { text } from "../texts/texts.js";
import { address, query } from "../view.js";

/** The links to other pages of the server, as the emulator has them. */
export const drawTabs = ({ tabs }) => {
  const others = Object.entries(tabs).map(([name, href]) => element("a", { href }, text(`tabs.${name}`)));
  const own = element("a", { href: "?", "aria-current": "page" }, text("dashboard"));
  byId("tabs").hidden = !others.length;
  byId("tabs").setAttribute("aria-label", text("tabs"));
  byId("tabs").replaceChildren(...others, own);
};

/** The links to the pages; the rest of the view stays, but for the options of this page. */
export const drawPages = ({ pages, view, options: own }) => {
  const parameters = new URLSearchParams(query());
  for (const name of Object.keys(own)) parameters.delete(name);
  byId("pages").replaceChildren(...pages.map((name) => {
    parameters.set("page", name);
    return element("a", { href: address(parameters), "aria-current": name === view.page ? "page" : null },
      text(`pages.${name}`));
  }));
};
