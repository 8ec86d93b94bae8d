// What is bought, and what it costs together.
import { beforeDiscounts } from "../cart.js";
import { element } from "../element.js";
import { money } from "../money.js";

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
