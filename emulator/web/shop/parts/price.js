// A price, and what it was before the discount.
import { element, hiddenText } from "../element.js";
import { discountOf, money, priceOf } from "../money.js";

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
