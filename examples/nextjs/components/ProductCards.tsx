import Link from "next/link";

import { FavoriteButton } from "@/components/FavoriteButton";
import type { Product } from "@/lib/catalogue";
import { money, priceOf } from "@/lib/money";

/** Products in a grid. */
export function ProductCards({ products }: { products: Product[] }) {
  return (
    <ul className="cards">
      {products.map((product) => (
        <li key={product.id} style={{ borderColor: product.color }}>
          <Link href={product.urlPath}>{product.name}</Link>
          <span>{money(priceOf(product))}</span>
          <FavoriteButton product={product} />
        </li>
      ))}
    </ul>
  );
}
