// Prices: whole đồng, as they are written in Vietnam.
import type { Product } from "@/lib/catalogue";

export const CURRENCY = "VND";

const format = new Intl.NumberFormat("vi-VN", { style: "currency", currency: CURRENCY });

export const money = (amount: number) => format.format(amount);
export const priceOf = ({ price, discountPrice }: Product) => discountPrice ?? price;
