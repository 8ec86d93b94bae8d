// The publisher's functions for components; and what buttons need that have an event of their own.
import { createElement } from "react";

import * as publisher from "../src/index.js";
import { productFrom } from "./catalogue.js";
import { categoryView } from "./trackers.js";

/** @typedef {import("./catalogue.js").CatalogueProduct} CatalogueProduct */
/** @typedef {import("../src/events.js").Cart} Cart */

/**
 * The same function, for products of a CMS.
 * @template {unknown[]} Rest
 * @param {(product: import("../src/events.js").Product, ...rest: Rest) => void} send
 * @returns {(product: CatalogueProduct, ...rest: Rest) => void}
 */
const mapped =
  (send) =>
  (product, ...rest) =>
    send(productFrom(product), ...rest);

const helpers = {
  ...publisher,
  /** @param {import("./catalogue.js").CatalogueCategory} category */
  trackCategoryView: (category) => publisher.track("category_view", categoryView(category)),
  trackProductView: mapped(publisher.trackProductView),
  trackAddToCart: mapped(publisher.trackAddToCart),
  trackRemoveFromCart: mapped(publisher.trackRemoveFromCart),
  trackWishlistToggle: mapped(publisher.trackWishlistToggle),
  trackShareClick: mapped(publisher.trackShareClick),
};

/** All functions of the publisher; products may be those of a CMS. The same object each time. */
export const useClickstream = () => helpers;

/** No `click` within what has this attribute. */
const IGNORE = /** @type {const} */ ({ "global-clickstream-ignore-click": "true" });

/**
 * Clicks within are no `click` events, for instance because they have an event of their own. Adds no box to the page.
 * @param {{ children?: import("react").ReactNode }} props
 */
export const IgnoreClicks = ({ children }) =>
  createElement("div", { ...IGNORE, style: { display: "contents" } }, children);

/**
 * The properties of a button that puts a product into the cart.
 * @param {CatalogueProduct} product
 * @param {() => Cart | void | Promise<Cart | void>} add Does so, and gives the cart as it is then. If it fails,
 *   there is no event.
 */
export const useAddToCart = (product, add) => ({
  ...IGNORE,
  onClick: async () => helpers.trackAddToCart(product, (await add()) || undefined),
});

/**
 * The properties of a button that puts a product on the wishlist, and takes it off again.
 * @param {CatalogueProduct} product
 * @param {boolean} wishlisted Whether it is on the list.
 * @param {(wishlisted: boolean) => unknown} change Puts it there, or takes it off. If it fails, there is no event.
 */
export const useFavorite = (product, wishlisted, change) => ({
  ...IGNORE,
  "aria-pressed": wishlisted,
  onClick: async () => {
    await change(!wishlisted);
    helpers.trackWishlistToggle(product, !wishlisted);
  },
});
