// The order: the cart as it was when it was placed. It holds nothing about the person.
import { trackCheckoutComplete } from "/publisher/src/index.js";
import { cart, emptyCart } from "./cart.js";
import { tab } from "./stored.js";

const KEY = "shop.order";
const LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"; // without letters that look alike

const newId = () => {
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `G-${Array.from(random, (byte) => LETTERS[byte % LETTERS.length]).join("")}`;
};

export const placeOrder = () => {
  const order = { id: newId(), ...cart() };
  trackCheckoutComplete(order);
  tab.write(KEY, order);
  emptyCart();
};
export const lastOrder = () => {
  const order = tab.read(KEY);
  return Array.isArray(order?.items) ? order : null;
};
