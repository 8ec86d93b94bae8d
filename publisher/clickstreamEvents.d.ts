/** The events of a shop. Each function sends one, with the context that it needs; other members are left out. */

import type { User } from "./clickstreamClient.js";

export interface Product {
  id?: string | number;
  name?: string;
  category?: string;
  /** The brand's name is the first of `brandName`, `brand.name`, `brand.title` and `brand`. */
  brandName?: string;
  brand?: string | { name?: string; title?: string } | null;
  price?: number | string;
  discountPrice?: number | string | null;
  urlPath?: string;
}

export interface Item {
  id: string | number;
  /** 1 by default. */
  quantity?: number;
  price: number;
  /** Taken as the item's price, if there is one. */
  discountPrice?: number | null;
}

export interface Cart {
  items?: Item[];
  /** By default the sum of price × quantity. */
  total?: number;
  /** ISO 4217, for instance `VND`. */
  currency?: string;
}

export interface Order extends Cart {
  id: string | number;
}

/** `home_view` */
export function trackHomeView(): void;
/** `category_view`, with `product.category` */
export function trackCategoryView(category: string): void;
/** `product_view` */
export function trackProductView(product: Product): void;
/** `add_to_cart_click`, with the cart as it is then */
export function trackAddToCart(product: Product, cart?: Cart): void;
/** `remove_from_cart_click`, with the cart as it is then */
export function trackRemoveFromCart(product: Product, cart?: Cart): void;
/** `wishlist_toggle`, and whether the product is on the list then */
export function trackWishlistToggle(product: Product, wishlisted: boolean): void;
/** `share_click` */
export function trackShareClick(product: Product, channel?: string): void;
/** `login_open` */
export function trackLoginOpen(): void;
/** `login_success`; with a user, calls `setUser` first */
export function trackLoginSuccess(user?: User): void;
/** `logout`, the last event of this user; then calls `clearUser` */
export function trackLogout(): void;
/** `checkout_start` */
export function trackCheckoutStart(cart: Cart): void;
/** `checkout_complete`, with `order.{id,items,total,currency}` */
export function trackCheckoutComplete(order: Order): void;
/** Any other event. The payload's members are those of the event. */
export function trackCustom(name: string, payload?: object): void;
