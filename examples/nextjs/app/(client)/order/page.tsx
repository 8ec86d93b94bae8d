"use client";

import { lastOrder } from "@/lib/cart";
import { money } from "@/lib/money";

export default function OrderPage() {
  const order = lastOrder.use();
  return (
    <>
      <h1>Thank you for your order</h1>
      {order && (
        <p>
          <span id="order-id">{order.id}</span>: {money(order.total)}
        </p>
      )}
    </>
  );
}
