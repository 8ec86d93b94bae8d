"use client";

import { ProductCards } from "@/components/ProductCards";
import { wishlist } from "@/lib/wishlist";

export default function WishlistPage() {
  return (
    <>
      <h1>Your wishlist</h1>
      <ProductCards products={wishlist.use() ?? []} />
    </>
  );
}
