// The wishlist: which products the visitor wants to remember.
import { trackWishlistToggle } from "/publisher/src/index.js";
import { productOf } from "./catalog.js";
import { browser, tellChange } from "./stored.js";

const KEY = "shop.wishlist";

export const wishlist = () => [browser.read(KEY) ?? []].flat().map(productOf).filter(Boolean);
export const isWishlisted = (product) => wishlist().includes(product);

export const toggleWishlisted = (product) => {
  const others = wishlist().filter((each) => each !== product);
  const wishlisted = !isWishlisted(product);
  const kept = wishlisted ? [...others, product] : others;
  browser.write(KEY, kept.map(({ id }) => id));
  trackWishlistToggle(product, wishlisted);
  tellChange();
  return wishlisted;
};
