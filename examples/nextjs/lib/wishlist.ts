// The wishlist: products that the visitor wants to remember.
import type { Product } from "@/lib/catalogue";
import { stored } from "@/lib/stored";

export const wishlist = stored<Product[]>("shop.wishlist", []);

export function setWishlisted(product: Product, wishlisted: boolean): void {
  const others = wishlist.read().filter(({ id }) => id !== product.id);
  wishlist.write(wishlisted ? [...others, product] : others);
}
