import { CategoryTracker } from "@clickstream/publisher/react";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { Suspense } from "react";

import { ProductCards } from "@/components/ProductCards";
import { readCategories, readCategory, readProductsIn } from "@/lib/catalogue";
import { priceOf } from "@/lib/money";

type Props = { params: Promise<{ slug: string }>; searchParams: Promise<{ sort?: string }> };

export const generateStaticParams = () => readCategories().map(({ slug }) => ({ slug: slug.current }));

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: readCategory((await params).slug)?.name };
}

/** The list depends on the query, so it is rendered for each request; all around it can be static. */
async function SortedProducts({ slug, searchParams }: { slug: string; searchParams: Props["searchParams"] }) {
  const products = await readProductsIn(slug);
  const { sort } = await searchParams;
  if (sort === "price") products.sort((one, other) => priceOf(one) - priceOf(other));
  return <ProductCards products={products} />;
}

export default async function CategoryPage({ params, searchParams }: Props) {
  const { slug } = await params;
  const category = readCategory(slug);
  if (!category) notFound();
  return (
    <>
      <CategoryTracker category={category} />
      <h1>{category.name}</h1>
      <p>
        <Link href={`/category/${slug}`}>As we like it</Link> <Link href={`/category/${slug}?sort=price`}>By price</Link>
      </p>
      <Suspense fallback={<p>Loading …</p>}>
        <SortedProducts slug={slug} searchParams={searchParams} />
      </Suspense>
    </>
  );
}
