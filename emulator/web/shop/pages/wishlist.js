// The page of the wishlist.
import { wishlist } from "../data/wishlist.js";
import { cards } from "../parts/card.js";
import { element } from "../parts/element.js";
import { focusHeading } from "../router.js";
import { message } from "./messages.js";

const draw = () => {
  document.getElementById("main").replaceChildren(...content());
  focusHeading();
};

const content = () => {
  const products = wishlist();
  const number = products.length === 1 ? "1 product" : `${products.length} products`;
  if (!products.length) return message("Your wishlist is empty", "The heart on a product puts it here.");
  return [
    element("h1", {}, "Your wishlist"),
    element("h2", { class: "number-of-products" }, number),
    cards(products, draw),
  ];
};

export const wishlistView = () => ({ title: "Your wishlist", content: content() });
