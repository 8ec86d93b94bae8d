"use client";

import { useFavorite } from "@clickstream/publisher/react";

import type { Product } from "@/lib/catalogue";
import { setWishlisted, wishlist } from "@/lib/wishlist";

/** Puts the product on the wishlist, and takes it off again. */
export function FavoriteButton({ product }: { product: Product }) {
  const isWishlisted = wishlist.use()?.some(({ id }) => id === product.id) ?? false;
  const button = useFavorite(product, isWishlisted, (wishlisted) => setWishlisted(product, wishlisted));
  return (
    <button className="favorite" aria-label={`Save ${product.name} to the wishlist`} {...button}>
      {isWishlisted ? "♥" : "♡"}
    </button>
  );
}
