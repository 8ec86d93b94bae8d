// The page of a product.
import { trackProductView } from "/publisher/src/index.js";
import { addToCart } from "../data/cart.js";
import { categoryOf, productOf, productsIn, productsOnOffer } from "../data/catalog.js";
import { announce } from "../parts/announcement.js";
import { art, icon } from "../parts/art.js";
import { cards, wishlistButton } from "../parts/card.js";
import { crumbs } from "../parts/crumbs.js";
import { element, TRACKED } from "../parts/element.js";
import { discountBadge, price } from "../parts/price.js";
import { shareButtons } from "../parts/share.js";
import { notFoundView } from "./messages.js";

const PROMISES = ["Free delivery in two to four days", "Thirty days to send it back", "Made in small series"];

const addButton = (product) => {
  const add = () => {
    addToCart(product);
    announce(`Added to cart: ${product.name}`);
  };
  const attributes = { type: "button", class: "button", id: "add-to-cart", "data-product-id": product.id };
  return element("button", { ...attributes, ...TRACKED, on: { click: add } }, icon("cart"), "Add to cart");
};

const details = (product) =>
  element(
    "div",
    { class: "details" },
    element("p", { class: "brand" }, product.brand),
    element("h1", {}, product.name),
    price(product),
    element(
      "div",
      { class: "actions" },
      addButton(product),
      wishlistButton(product, "button plain", "Save to wishlist"),
    ),
    element("ul", { class: "promises", role: "list" }, PROMISES.map((text) => element("li", {}, icon("done"), text))),
    element("div", { class: "share" }, ...shareButtons(product)),
  );

const othersBeside = (product) => {
  const others = new Set([...productsIn(product.category), ...productsOnOffer()]);
  others.delete(product);
  return [...others].slice(0, 4);
};

const picture = (product) => element("div", { class: "picture" }, art(product), discountBadge(product));

export const productView = (id) => {
  const product = productOf(id);
  if (!product) return notFoundView();
  const { slug, name } = categoryOf(product.category);
  return {
    title: product.name,
    content: [
      crumbs([name, `/category/${slug}`]),
      element("section", { class: "product" }, picture(product), details(product)),
      element("h2", {}, "You may also like"),
      cards(othersBeside(product)),
    ],
    track: () => trackProductView(product),
  };
};
