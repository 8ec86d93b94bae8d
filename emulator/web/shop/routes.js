// Which page each URL of the shop shows.
import { cartView } from "./views/cart.js";
import { categoryView } from "./views/category.js";
import { checkoutView } from "./views/checkout.js";
import { homeView } from "./views/home.js";
import { notFoundView } from "./views/notFound.js";
import { orderView } from "./views/order.js";
import { productView } from "./views/product.js";
import { signInView } from "./views/signIn.js";
import { wishlistView } from "./views/wishlist.js";

export const ROUTES = [
  [/^\/$/, homeView],
  [/^\/category\/([^/]+)$/, categoryView],
  [/^\/product\/([^/]+)$/, productView],
  [/^\/cart$/, cartView],
  [/^\/checkout$/, checkoutView],
  [/^\/order$/, orderView],
  [/^\/sign-in$/, signInView],
  [/^\/wishlist$/, wishlistView],
  [/^/, notFoundView],
];
