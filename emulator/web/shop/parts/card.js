// Products as cards, in a grid.
import { art } from "../art.js";
import { element, hiddenText } from "../element.js";
import { discountBadge, price } from "./price.js";
import { wishlistButton } from "./wishlistButton.js";

const card = (product, afterToggle) =>
  element(
    "li",
    { class: "card" },
    art(product),
    discountBadge(product),
    element("p", { class: "brand" }, product.brand),
    element("h3", {}, element("a", { href: product.urlPath, "data-product-id": product.id }, product.name)),
    price(product),
    wishlistButton(product, "heart-button", hiddenText(`Save ${product.name} to wishlist`), afterToggle),
  );

export const cards = (products, afterToggle) =>
  element("ul", { class: "cards", role: "list" }, ...products.map((product) => card(product, afterToggle)));
