// What the shop sells. It stands for a CMS: it answers after a while, with documents of a CMS's shape.
import { setTimeout as pause } from "node:timers/promises";

import categories from "@/data/categories.json";
import products from "@/data/products.json";

export type Product = (typeof products)[number];
export type Category = (typeof categories)[number];

const CMS_MILLISECONDS = Number(process.env.CMS_MILLISECONDS ?? 20);

export const readCategories = (): Category[] => categories;

export function readCategory(slug: string): Category | undefined {
  return categories.find((category) => category.slug.current === slug);
}

export async function readProductsIn(slug: string): Promise<Product[]> {
  await pause(CMS_MILLISECONDS);
  return products.filter(({ category }) => category === slug);
}

export async function readProduct(id: string): Promise<Product | undefined> {
  await pause(CMS_MILLISECONDS);
  return products.find((product) => product.id === id);
}

export const readOffers = (): Product[] => products.filter(({ discountPrice }) => discountPrice !== null).slice(0, 8);

export const searchProducts = (text: string): Product[] =>
  products.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
