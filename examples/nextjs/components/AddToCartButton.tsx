"use client";

import { useAddToCart } from "@clickstream/publisher/react";
import type { ReactNode } from "react";

import { change } from "@/lib/cart";
import type { Product } from "@/lib/catalogue";

/** Puts one of the product into the cart. */
export function AddToCartButton({ product, children = "Add to cart" }: { product: Product; children?: ReactNode }) {
  const button = useAddToCart(product, () => change(product, 1));
  return (
    <button className="button" data-product-id={product.id} {...button}>
      {children}
    </button>
  );
}
