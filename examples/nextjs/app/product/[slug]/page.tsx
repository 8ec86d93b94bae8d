import { ProductViewTracker } from "@clickstream/publisher/react";
import Link from "next/link";
import { notFound } from "next/navigation";
import { connection } from "next/server";

import { AddToCartButton } from "@/components/AddToCartButton";
import { FavoriteButton } from "@/components/FavoriteButton";
import { ShareButton } from "@/components/ShareButton";
import { readProduct } from "@/lib/catalogue";
import { money, priceOf } from "@/lib/money";

/** Rendered for each request, behind `loading.tsx`: a price is never an old one. */
export default async function ProductPage({ params }: { params: Promise<{ slug: string }> }) {
  await connection();
  const product = await readProduct((await params).slug);
  if (!product) notFound();
  return (
    <>
      <ProductViewTracker product={product} />
      <Link href={`/category/${product.category}`}>More like this</Link>
      <h1>{product.name}</h1>
      <p>{product.brand}</p>
      <p>{money(priceOf(product))}</p>
      <AddToCartButton product={product} />
      <FavoriteButton product={product} />
      <ShareButton product={product} />
    </>
  );
}
