// Prices: whole đồng, as they are written in Vietnam.

export const CURRENCY = "VND";

const format = new Intl.NumberFormat("vi-VN", { style: "currency", currency: CURRENCY });

export const money = (amount) => format.format(amount);
export const priceOf = ({ price, discountPrice }) => discountPrice ?? price;
export const discountOf = (product) => Math.round((1 - priceOf(product) / product.price) * 100);
