// The header: categories, wishlist, cart, and who is signed in.
import { account, signOut } from "../data/account.js";
import { countInCart } from "../data/cart.js";
import { CATEGORIES } from "../data/catalog.js";
import { onChange } from "../data/stored.js";
import { wishlist } from "../data/wishlist.js";
import { announce } from "./announcement.js";
import { icon } from "./art.js";
import { element, hiddenText, TRACKED } from "./element.js";

const count = (id, number) => (number ? element("span", { id, class: "count" }, String(number)) : null);
const label = (text) => element("span", { class: "tool-label" }, text);
const tool = (name, text, attributes, number) =>
  element("a", { class: "tool", ...attributes }, icon(name), label(text), " ", number);

const wishlistLink = () =>
  tool("heart", "Wishlist", { href: "/wishlist", id: "wishlist-link" }, count("wishlist-count", wishlist().length));
const cartLink = () => tool("cart", "Cart", { href: "/cart", id: "cart-link" }, count("cart-count", countInCart()));

const leave = () => {
  signOut();
  document.getElementById("sign-in-link").focus();
  announce("Signed out");
};
const accountTools = () => {
  if (!account()) return [tool("person", "Sign in", { href: "/sign-in", id: "sign-in-link", ...TRACKED })];
  const name = element("span", { class: "account-name", id: "account-name", "data-clickstream-mask": true });
  name.append(hiddenText("Signed in as "), account().name);
  const attributes = { type: "button", class: "tool", id: "sign-out-button", ...TRACKED };
  return [name, element("button", { ...attributes, on: { click: leave } }, icon("leave"), label("Sign out"))];
};

const showTools = () => {
  document.getElementById("tools").replaceChildren(...accountTools(), wishlistLink(), cartLink());
  showCurrentPage();
};

/** Marks the link to the page that is shown. */
export const showCurrentPage = () => {
  for (const link of document.querySelectorAll(".shop-header a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};

export const showHeader = () => {
  const links = CATEGORIES.map(({ slug, name }) => element("a", { href: `/category/${slug}` }, name));
  document.getElementById("categories").replaceChildren(...links);
  showTools();
  onChange(showTools);
};
