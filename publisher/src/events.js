// The events of a shop: each function sends one, with the context that it needs; other members are left out.
import { guarded } from "./report.js";
import { nameUser } from "./user.js";
import { release } from "./event.js";
import { trackHere, trackViewHere } from "./views.js";

/**
 * @typedef {object} Product
 * @property {string | number} [id]
 * @property {string} [name]
 * @property {string} [category]
 * @property {string} [brandName] The brand's name is the first of `brandName`, `brand.name`, `brand.title` and `brand`.
 * @property {string | { name?: string, title?: string } | null} [brand]
 * @property {number | string} [price]
 * @property {number | string | null} [discountPrice]
 * @property {string} [urlPath]
 */

/**
 * @typedef {object} Item
 * @property {string | number} id
 * @property {number} [quantity] 1 by default.
 * @property {number} price
 * @property {number | null} [discountPrice] Taken as the item's price, if there is one.
 */

/**
 * @typedef {object} Cart
 * @property {Item[]} [items]
 * @property {number} [total] By default the sum of price × quantity.
 * @property {string} [currency] ISO 4217, for instance `VND`.
 */

/** @typedef {Cart & { id: string | number }} Order */
/** @typedef {import("./user.js").User} User */

/** @param {Product} product */
const productOf = ({ id, name, category, brandName, brand, price, discountPrice, urlPath }) => ({
  id,
  name,
  category,
  brand: brandName || (typeof brand === "object" ? brand?.name || brand?.title || brand : brand),
  price,
  discountPrice,
  urlPath,
});

/** @param {Item} item */
const itemOf = ({ id, price, discountPrice, quantity = 1 }) => ({ id, quantity, price: discountPrice ?? price });

/** @param {Cart & { id?: string | number }} cart */
const cartOf = ({ id, items = [], total, currency }) => {
  const paid = items.map(itemOf);
  const sum = paid.reduce((before, { price, quantity }) => before + price * quantity, 0);
  return { id, items: paid, total: total ?? Math.round(sum * 100) / 100, currency };
};

/** `home_view`, once per navigation */
export const trackHomeView = guarded(() => trackViewHere("home_view"));

/** `category_view`, with `product.category`, once per navigation and category */
export const trackCategoryView = guarded((/** @type {string} */ category) =>
  trackViewHere("category_view", { product: productOf({ category }) }, category),
);

/** `product_view`, once per navigation and product */
export const trackProductView = guarded((/** @type {Product} */ product) =>
  trackViewHere("product_view", { product: productOf(product) }, product.id),
);

/** `add_to_cart_click`, with the cart as it is then */
export const trackAddToCart = guarded((/** @type {Product} */ product, /** @type {Cart | undefined} */ cart = undefined) =>
  trackHere("add_to_cart_click", { product: productOf(product), cart: cart && cartOf(cart) }),
);

/** `remove_from_cart_click`, with the cart as it is then */
export const trackRemoveFromCart = guarded((/** @type {Product} */ product, /** @type {Cart | undefined} */ cart = undefined) =>
  trackHere("remove_from_cart_click", { product: productOf(product), cart: cart && cartOf(cart) }),
);

/** `wishlist_toggle`, and whether the product is on the list then */
export const trackWishlistToggle = guarded((/** @type {Product} */ product, /** @type {boolean} */ wishlisted) =>
  trackHere("wishlist_toggle", { product: productOf(product), wishlisted }),
);

/** `share_click`, and how it was shared */
export const trackShareClick = guarded((/** @type {Product} */ product, /** @type {string | undefined} */ channel = undefined) =>
  trackHere("share_click", { product: productOf(product), channel }),
);

/** `login_open` */
export const trackLoginOpen = guarded(() => trackHere("login_open"));

/** `login_success`; with a user, says first who it is */
export const trackLoginSuccess = guarded((/** @type {User | undefined} */ user = undefined) => {
  if (user) nameUser(user);
  release();
  trackHere("login_success");
});

/** `logout`, the last event of this user */
export const trackLogout = guarded(() => {
  trackHere("logout"); // says who
  nameUser();
  release();
});

/** `checkout_start` */
export const trackCheckoutStart = guarded((/** @type {Cart} */ cart) => trackHere("checkout_start", { cart: cartOf(cart) }));

/** `checkout_complete`, with `order.{id,items,total,currency}` */
export const trackCheckoutComplete = guarded((/** @type {Order} */ order) =>
  trackHere("checkout_complete", { order: cartOf(order) }),
);

/** Any other event. The payload's members are those of the event; a name that ends in `_view` is the page's view. */
export const trackCustom = guarded((/** @type {string} */ name, /** @type {object | undefined} */ payload = undefined) =>
  trackHere(name, payload),
);
