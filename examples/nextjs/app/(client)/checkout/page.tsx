"use client";

import { useClickstream } from "@clickstream/publisher/react";
import { useRouter } from "next/navigation";
import type { FormEvent } from "react";

import { placeOrder, useCart } from "@/lib/cart";
import { money } from "@/lib/money";

export default function CheckoutPage() {
  const cart = useCart();
  const router = useRouter();
  const { trackCheckoutComplete } = useClickstream();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    trackCheckoutComplete(placeOrder());
    router.push("/order");
  };
  return (
    <>
      <h1>Checkout</h1>
      <p>{cart && money(cart.total)}</p>
      <form onSubmit={submit} global-clickstream-ignore-click="true">
        <label>
          Address <input name="address" required autoComplete="street-address" />
        </label>
        <button id="place-order">Place order</button>
      </form>
    </>
  );
}
