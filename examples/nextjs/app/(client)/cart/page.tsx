"use client";

import { IgnoreClicks, useClickstream } from "@clickstream/publisher/react";
import Link from "next/link";

import { AddToCartButton } from "@/components/AddToCartButton";
import { change, type Item, useCart } from "@/lib/cart";
import { money, priceOf } from "@/lib/money";

function Line({ item }: { item: Item }) {
  const { trackRemoveFromCart } = useClickstream();
  const remove = (quantity: number) => trackRemoveFromCart(item, change(item, -quantity));
  return (
    <li id={`line-${item.id}`}>
      <Link href={item.urlPath}>{item.name}</Link> {item.quantity} × {money(priceOf(item))}
      <AddToCartButton product={item}>One more</AddToCartButton>
      <IgnoreClicks>
        <button onClick={() => remove(1)}>One less</button>
        <button onClick={() => remove(item.quantity)}>Remove</button>
      </IgnoreClicks>
    </li>
  );
}

export default function CartPage() {
  const cart = useCart();
  const { trackCheckoutStart } = useClickstream();
  return (
    <>
      <h1>Your cart</h1>
      <ul>{cart?.items.map((item) => <Line key={item.id} item={item} />)}</ul>
      {cart?.items.length ? (
        <p>
          {money(cart.total)}{" "}
          <Link href="/checkout" global-clickstream-ignore-click="true" onClick={() => trackCheckoutStart(cart)}>
            Checkout
          </Link>
        </p>
      ) : (
        <p>Your cart is empty.</p>
      )}
    </>
  );
}
