// Products as cards, in a grid, and the button that puts a product on the wishlist.
import { isWishlisted, toggleWishlisted } from "../data/wishlist.js";
import { announce } from "./announcement.js";
import { art, icon } from "./art.js";
import { element, hiddenText, TRACKED } from "./element.js";
import { discountBadge, price } from "./price.js";

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

export const wishlistButton = (product, className, label, afterwards = () => {}) => {
  const button = element(
    "button",
    {
      type: "button",
      class: className,
      "aria-pressed": isWishlisted(product),
      "data-product-id": product.id,
      ...TRACKED,
    },
    icon("heart"),
    label,
  );
  button.addEventListener("click", () => {
    const wishlisted = toggleWishlisted(product);
    button.setAttribute("aria-pressed", wishlisted);
    announce(`${wishlisted ? "On" : "Off"} your wishlist: ${product.name}`);
    afterwards();
  });
  return button;
};
