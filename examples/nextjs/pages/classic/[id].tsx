// A product's page as it was before the App Router: rendered for each request by `getServerSideProps`.
import { ProductViewTracker } from "@clickstream/publisher/react";
import type { GetServerSideProps } from "next";
import Link from "next/link";

import { type Product, readProduct } from "@/lib/catalogue";

type Props = { product: Product };

export const getServerSideProps: GetServerSideProps<Props> = async ({ query }) => {
  const product = await readProduct(String(query.id));
  return product ? { props: { product } } : { notFound: true };
};

export default function ClassicProductPage({ product }: Props) {
  return (
    <>
      <ProductViewTracker product={product} />
      <h1>{product.name}</h1>
      <Link href="/search">Search</Link>
    </>
  );
}
