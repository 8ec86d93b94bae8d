import { HomeTracker } from "@clickstream/publisher/react";
import Link from "next/link";

import { ProductCards } from "@/components/ProductCards";
import { readCategories, readOffers } from "@/lib/catalogue";

export default function HomePage() {
  return (
    <>
      <HomeTracker />
      <h1>Good things, carried in from small makers.</h1>
      <ul>
        {readCategories().map(({ _id, slug, name }) => (
          <li key={_id}>
            <Link href={`/category/${slug.current}`}>{name}</Link>
          </li>
        ))}
      </ul>
      <h2>On offer</h2>
      <ProductCards products={readOffers()} />
    </>
  );
}
