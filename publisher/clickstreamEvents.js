// See clickstreamEvents.d.ts.
import { clearUser, guarded, setUser, track } from "./clickstreamClient.js";

const productOf = ({ id, name, category, brandName, brand, price, discountPrice, urlPath }) => ({
  id,
  name,
  category,
  brand: brandName || brand?.name || brand?.title || brand,
  price,
  discountPrice,
  urlPath,
});
const itemOf = ({ id, price, discountPrice, quantity = 1 }) => ({ id, quantity, price: discountPrice ?? price });
const cartOf = ({ id, items = [], total, currency }) => {
  items = items.map(itemOf);
  total ??= Math.round(items.reduce((sum, { price, quantity }) => sum + price * quantity, 0) * 100) / 100;
  return { id, items, total, currency };
};
const send = guarded((name, { product, cart, order, ...more }) =>
  track(name, {
    product: product && productOf(product),
    cart: cart && cartOf(cart),
    order: order && cartOf(order),
    ...more,
  }),
);

export const trackCustom = track;
export const trackHomeView = () => track("home_view");
export const trackCategoryView = (category) => send("category_view", { product: { category } });
export const trackProductView = (product) => send("product_view", { product });
export const trackAddToCart = (product, cart) => send("add_to_cart_click", { product, cart });
export const trackRemoveFromCart = (product, cart) => send("remove_from_cart_click", { product, cart });
export const trackWishlistToggle = (product, wishlisted) => send("wishlist_toggle", { product, wishlisted });
export const trackShareClick = (product, channel) => send("share_click", { product, channel });
export const trackLoginOpen = () => track("login_open");
export const trackLoginSuccess = (user) => {
  if (user) setUser(user);
  track("login_success");
};
export const trackLogout = () => {
  track("logout"); // says who
  clearUser();
};
export const trackCheckoutStart = (cart) => send("checkout_start", { cart });
export const trackCheckoutComplete = (order) => send("checkout_complete", { order });
