// Prices as the pages show them: of one product, and of a whole cart or order.
import { beforeDiscounts } from "../data/cart.js";
import { discountOf, money, priceOf } from "../data/catalog.js";
import { element, hiddenText } from "./element.js";

const before = (amount) => element("del", {}, hiddenText("before: "), money(amount));

/** The price of some pieces of a product, one by default. */
export const price = (product, quantity = 1) =>
  element(
    "p",
    { class: "price" },
    element("strong", {}, money(priceOf(product) * quantity)),
    ...(product.discountPrice === null ? [] : [" ", before(product.price * quantity)]),
  );

export const discountBadge = (product) =>
  product.discountPrice === null ? null : element("span", { class: "badge" }, `−${discountOf(product)}%`);

const line = (term, text, attributes) =>
  element("div", attributes, element("dt", {}, term), element("dd", {}, text));

export const totals = (cart) => {
  const discount = beforeDiscounts(cart) - cart.total;
  return element(
    "dl",
    { class: "totals" },
    line("Subtotal", money(beforeDiscounts(cart))),
    discount > 0 ? line("Discounts", money(-discount), { id: "discounts" }) : null,
    line("Delivery", "Free"),
    line("Total", money(cart.total), { class: "total", id: "total" }),
  );
};

const item = ({ name, quantity }) =>
  element("li", {}, element("span", {}, name), element("span", { class: "quantity" }, `× ${quantity}`));

export const itemList = ({ items }) => element("ul", { class: "item-list", role: "list" }, ...items.map(item));
