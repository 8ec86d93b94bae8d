// The cart, in the shape that the events carry.
import type { Product } from "@/lib/catalogue";
import { CURRENCY, priceOf } from "@/lib/money";
import { stored } from "@/lib/stored";

export type Item = Product & { quantity: number };
export type Cart = { items: Item[]; total: number; currency: string };
export type Order = Cart & { id: string };

const items = stored<Item[]>("shop.cart", []);
export const lastOrder = stored<Order | null>("shop.order", null);

const cartOf = (list: Item[]): Cart => ({
  items: list,
  total: list.reduce((sum, item) => sum + priceOf(item) * item.quantity, 0),
  currency: CURRENCY,
});

export function useCart(): Cart | undefined {
  const list = items.use();
  return list && cartOf(list);
}

/** Add `by` of a product to the cart; the cart as it is then. */
export function change(product: Product, by: number): Cart {
  const list = items.read();
  const quantity = (list.find(({ id }) => id === product.id)?.quantity ?? 0) + by;
  const others = list.filter(({ id }) => id !== product.id);
  items.write(quantity > 0 ? [...others, { ...product, quantity }] : others);
  return cartOf(items.read());
}

/** Place the order of all that is in the cart, and empty the cart. */
export function placeOrder(): Order {
  const order = { id: crypto.randomUUID(), ...cartOf(items.read()) };
  lastOrder.write(order);
  items.write([]);
  return order;
}
