// The page that asks where to deliver. What is typed there is checked by the browser, and goes nowhere.
import { trackCheckoutStart } from "/publisher/src/index.js";
import { cart } from "../data/cart.js";
import { placeOrder } from "../data/order.js";
import { element, TRACKED } from "../parts/element.js";
import { field, form } from "../parts/field.js";
import { itemList, totals } from "../parts/price.js";
import { goTo } from "../router.js";
import { message } from "./messages.js";

const PAYMENTS = [
  ["cash", "Cash on delivery"],
  ["transfer", "Bank transfer"],
  ["card", "Card"],
];

const PHONE = { pattern: "[+0-9][0-9 ]{7,15}", title: "a number of 8 to 16 digits" };

const choice = ([value, label], position) =>
  element(
    "p",
    { class: "choice" },
    element("input", { type: "radio", name: "payment", id: `pay-${value}`, value, required: true, checked: !position }),
    element("label", { for: `pay-${value}` }, label),
  );

const submit = () => {
  placeOrder();
  goTo("/order");
};

const orderForm = () =>
  form(
    "checkout-form",
    submit,
    element("p", { class: "note" }, "This is a demo: nothing is sold, and nothing you type here leaves this page."),
    field("name", "Name", { autocomplete: "name", maxlength: 100 }),
    field("phone", "Phone", { type: "tel", autocomplete: "tel", ...PHONE }),
    field("address", "Address", { autocomplete: "street-address", maxlength: 200 }),
    element("fieldset", {}, element("legend", {}, "Payment"), ...PAYMENTS.map(choice)),
    element("button", { class: "button", id: "place-order", ...TRACKED }, "Place order"),
  );

export const checkoutView = () => {
  const current = cart();
  if (!current.items.length)
    return { title: "Checkout", content: message("Nothing to check out", "Your cart is empty.") };
  const summary = element("section", { class: "summary", "aria-label": "Summary" }, itemList(current), totals(current));
  return {
    title: "Checkout",
    content: [element("h1", {}, "Checkout"), element("div", { class: "with-summary" }, orderForm(), summary)],
    track: () => trackCheckoutStart(current),
  };
};
