"use client";

import { IgnoreClicks, useClickstream } from "@clickstream/publisher/react";

import type { Product } from "@/lib/catalogue";

/** Copies the product's address. */
export function ShareButton({ product }: { product: Product }) {
  const { trackShareClick } = useClickstream();
  const share = async () => {
    trackShareClick(product, "copy_link");
    await navigator.clipboard.writeText(location.href).catch(() => {}); // the browser may refuse
  };
  return (
    <IgnoreClicks>
      <button className="share" onClick={share}>
        Copy link
      </button>
    </IgnoreClicks>
  );
}
