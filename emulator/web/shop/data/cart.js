// The cart: which products, how many of each, and the events of both buttons.
import { trackAddToCart, trackRemoveFromCart } from "/publisher/src/index.js";
import { CURRENCY, priceOf, productOf } from "./catalog.js";
import { browser, tellChange } from "./stored.js";

const KEY = "shop.cart";

const isEntry = (entry) => productOf(entry?.id) && entry.quantity >= 1 && Number.isInteger(entry.quantity);
const entries = () => [browser.read(KEY) ?? []].flat().filter(isEntry);
const save = (changed) => {
  browser.write(KEY, changed);
  tellChange();
};

/** The cart, as events and pages need it: each item is a product with its quantity. */
export const cart = () => {
  const items = entries().map(({ id, quantity }) => ({ ...productOf(id), quantity }));
  return { items, total: sum(items, priceOf), currency: CURRENCY };
};
export const countInCart = () => sum(entries(), () => 1);
export const beforeDiscounts = ({ items }) => sum(items, ({ price }) => price);
const sum = (items, each) => items.reduce((total, item) => total + each(item) * item.quantity, 0);

const setQuantity = (product, quantity) => {
  const others = entries();
  const position = others.findIndex(({ id }) => id === product.id);
  const entry = { id: product.id, quantity };
  others.splice(position < 0 ? others.length : position, 1, ...(quantity > 0 ? [entry] : []));
  save(others);
};
export const quantityOf = (product) => entries().find(({ id }) => id === product.id)?.quantity ?? 0;

export const addToCart = (product) => {
  setQuantity(product, quantityOf(product) + 1);
  trackAddToCart(product, cart());
};
export const removeOne = (product) => {
  setQuantity(product, quantityOf(product) - 1);
  trackRemoveFromCart(product, cart());
};
export const removeFromCart = (product) => {
  setQuantity(product, 0);
  trackRemoveFromCart(product, cart());
};
export const emptyCart = () => save([]);
