// The first page: a welcome, the categories, and what is on offer.
import { trackHomeView } from "/publisher/src/index.js";
import { CATEGORIES, productOf, productsIn, productsOnOffer } from "../data/catalog.js";
import { art, icon } from "../parts/art.js";
import { cards } from "../parts/card.js";
import { element } from "../parts/element.js";

const SHOWN_IN_WELCOME = ["steel-phin", "commuter-backpack", "kitchen-radio"];

const welcome = () =>
  element(
    "section",
    { class: "welcome" },
    element(
      "div",
      { class: "welcome-words" },
      element("h1", {}, "Good things, carried in from small makers."),
      element("p", {}, "Rainwear, clay, sound and coffee from workshops all over Vietnam, in one pair of baskets."),
      element("a", { href: "/category/coffee", class: "button dark" }, "Start with coffee", icon("arrow")),
    ),
    element("div", { class: "welcome-art" }, ...SHOWN_IN_WELCOME.map(productOf).filter(Boolean).map(art)),
  );

const tile = (category) =>
  element(
    "li",
    { class: "tile" },
    art(category),
    element("h3", {}, element("a", { href: `/category/${category.slug}` }, category.name)),
    element("p", {}, `${productsIn(category.slug).length} products`),
  );

export const homeView = () => ({
  title: "Good things from small makers",
  content: [
    welcome(),
    element("h2", {}, "Shop by category"),
    element("ul", { class: "tiles", role: "list" }, ...CATEGORIES.map(tile)),
    element("h2", {}, "On offer"),
    cards(productsOnOffer().slice(0, 8)),
  ],
  track: trackHomeView,
});
