// The page of the cart.
import { addToCart, cart, quantityOf, removeFromCart, removeOne } from "../data/cart.js";
import { announce } from "../parts/announcement.js";
import { art, icon } from "../parts/art.js";
import { element, hiddenText, TRACKED } from "../parts/element.js";
import { price, totals } from "../parts/price.js";
import { focusHeading } from "../router.js";
import { message } from "./messages.js";

const draw = () => {
  const focused = document.activeElement.id;
  document.getElementById("main").replaceChildren(...content());
  const again = document.getElementById(focused);
  if (again) again.focus();
  else focusHeading(); // the product is gone, and its buttons with it
};

const button = (action, product, change, ...label) => {
  const act = () => {
    change(product);
    draw();
    announce(`${product.name}: ${quantityOf(product)} in your cart`);
  };
  const attributes = { type: "button", id: `${action}-${product.id}`, "data-product-id": product.id, ...TRACKED };
  return element("button", { ...attributes, on: { click: act } }, ...label);
};

const stepper = (item) =>
  element(
    "div",
    { class: "stepper" },
    button("decrease", item, removeOne, icon("minus"), hiddenText(`One less ${item.name}`)),
    element("span", { class: "quantity" }, hiddenText("Quantity: "), String(item.quantity)),
    button("increase", item, addToCart, icon("plus"), hiddenText(`One more ${item.name}`)),
  );

const line = (item) =>
  element(
    "li",
    { class: "cart-line", id: `line-${item.id}` },
    art(item),
    element(
      "div",
      { class: "cart-line-name" },
      element("p", { class: "brand" }, item.brand),
      element("h2", {}, element("a", { href: item.urlPath }, item.name)),
    ),
    price(item, item.quantity),
    stepper(item),
    button("remove", item, removeFromCart, "Remove", hiddenText(` ${item.name}`)),
  );

const summary = (current) =>
  element(
    "section",
    { class: "summary", "aria-label": "Summary" },
    totals(current),
    element("a", { href: "/checkout", class: "button", id: "checkout-link", ...TRACKED }, "Checkout", icon("arrow")),
  );

const content = () => {
  const current = cart();
  if (!current.items.length) return message("Your cart is empty", "What you add to it will wait here for you.");
  return [
    element("h1", {}, "Your cart"),
    element(
      "div",
      { class: "with-summary" },
      element("ul", { class: "cart-lines", role: "list" }, ...current.items.map(line)),
      summary(current),
    ),
  ];
};

export const cartView = () => ({ title: "Your cart", content: content() });
