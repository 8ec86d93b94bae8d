// The page that confirms the order.
import { lastOrder } from "../data/order.js";
import { icon } from "../parts/art.js";
import { element } from "../parts/element.js";
import { itemList, totals } from "../parts/price.js";
import { message } from "./messages.js";

export const orderView = () => {
  const order = lastOrder();
  if (!order) return { title: "No order yet", content: message("No order yet", "What you order is confirmed here.") };
  return {
    title: `Order ${order.id}`,
    content: [
      element(
        "section",
        { class: "order" },
        element("p", { class: "order-mark" }, icon("done")),
        element("h1", {}, "Thank you for your order"),
        element("p", { class: "lead" }, "Its number is ", element("strong", { id: "order-id" }, order.id), "."),
        element("div", { class: "summary" }, itemList(order), totals(order)),
        element("p", { class: "note" }, "This is a demo: nobody is going to ring at your door."),
        element("a", { href: "/", class: "button plain" }, "Go on shopping"),
      ),
    ],
  };
};
