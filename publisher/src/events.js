// The events of a shop: each function sends one, with the context that it needs; other members are left out.
import { guarded } from "./report.js";
import { nameUser } from "./visitor/user.js";
import { release } from "./event.js";
import { trackHere } from "./views.js";

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
/** @typedef {import("./visitor/user.js").User} User */

/** @param {Product} product */
const productOf = ({ id, name, category, brandName, brand, price, discountPrice, urlPath }) => ({
  id,
  name,
  category,
  brand: brandName || Object(brand).name || Object(brand).title || brand,
  price,
  discountPrice,
  urlPath,
});

/** @param {Cart & { id?: string | number }} cart */
const cartOf = ({ id, items: given = [], total, currency }) => {
  const items = given.map((item) => ({
    id: item.id,
    quantity: item.quantity ?? 1,
    price: item.discountPrice ?? item.price,
  }));
  const sum = items.reduce((before, { price, quantity }) => before + price * quantity, 0);
  return { id, items, total: total ?? Math.round(sum * 100) / 100, currency };
};

/**
 * @param {string} name
 * @param {{ product?: Product, cart?: Cart, order?: Order, [more: string]: unknown }} [context]
 * @param {string | number} [thing] What a view shows, which is viewed once per navigation.
 */
const sendContext = (name, { product, cart, order, ...more } = {}, thing) =>
  trackHere(
    name,
    { product: product && productOf(product), cart: cart && cartOf(cart), order: order && cartOf(order), ...more },
    thing,
  );
const send = guarded(sendContext);

/**
 * Any other event. A name that ends in `_view` takes the place of the page's automatic view.
 * @type {(name: string, payload?: object) => void} The payload's members are those of the event.
 */
export const trackCustom = guarded((name, payload) => trackHere(name, payload));

/**
 * Say who the visitor is, from the next event on, until the page is left: say it on each page.
 * @type {(user?: User | null) => void} Null: nobody.
 */
export const setUser = guarded((user) => {
  nameUser(user);
  release();
});

/** Say that nobody is signed in. */
export const clearUser = () => setUser();

/** `home_view`, once per navigation */
export const trackHomeView = () => send("home_view", {}, "");

/** `category_view`, with `product.category`, once per navigation and category @param {string} category */
export const trackCategoryView = (category) => send("category_view", { product: { category } }, category);

/** `product_view`, once per navigation and product @param {Product} product */
export const trackProductView = (product) => send("product_view", { product }, product?.id);

/** `add_to_cart_click` @param {Product} product @param {Cart} [cart] As it is then. */
export const trackAddToCart = (product, cart) => send("add_to_cart_click", { product, cart });

/** `remove_from_cart_click` @param {Product} product @param {Cart} [cart] As it is then. */
export const trackRemoveFromCart = (product, cart) => send("remove_from_cart_click", { product, cart });

/** `wishlist_toggle` @param {Product} product @param {boolean} wishlisted Whether it is on the list then. */
export const trackWishlistToggle = (product, wishlisted) => send("wishlist_toggle", { product, wishlisted });

/** `share_click` @param {Product} product @param {string} [channel] */
export const trackShareClick = (product, channel) => send("share_click", { product, channel });

/** `login_open` */
export const trackLoginOpen = () => send("login_open");

/** `login_success` @param {User} [user] Says first who it is. */
export const trackLoginSuccess = (user) => {
  if (user) setUser(user);
  send("login_success");
};

/** `logout`, the last event of this user */
export const trackLogout = () => {
  send("logout"); // says who
  clearUser();
};

/** `checkout_start` @param {Cart} cart */
export const trackCheckoutStart = (cart) => send("checkout_start", { cart });

/** `checkout_complete`, with `order.{id,items,total,currency}` @param {Order} order */
export const trackCheckoutComplete = (order) => send("checkout_complete", { order });
