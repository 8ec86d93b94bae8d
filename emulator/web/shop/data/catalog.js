// What the shop sells: its categories, its products and their prices.

export const CATEGORIES = [
  {
    slug: "jackets",
    name: "Jackets",
    line: "Light layers for wind, hills and sudden rain.",
    art: "raincoat",
    color: "#e0a526",
  },
  {
    slug: "shoes",
    name: "Shoes",
    line: "For wet pavements, red earth and long evenings out.",
    art: "sneaker",
    color: "#c4503f",
  },
  {
    slug: "bags",
    name: "Bags",
    line: "Carry the market home, or only what fits half a moon.",
    art: "backpack",
    color: "#34506b",
  },
  {
    slug: "living",
    name: "Living",
    line: "Clay, cloth and warm light for small rooms.",
    art: "vase",
    color: "#3f6ea5",
  },
  {
    slug: "audio",
    name: "Audio",
    line: "Sound that is made to be looked at, too.",
    art: "radio",
    color: "#2f8074",
  },
  {
    slug: "coffee",
    name: "Coffee",
    line: "Slow drips, and all that goes with them.",
    art: "phin",
    color: "#7d8790",
  },
];

let all = [];

export const setProducts = (products) => {
  all = products;
};
export const productOf = (id) => all.find((product) => product.id === id);
export const categoryOf = (slug) => CATEGORIES.find((category) => category.slug === slug);
export const productsIn = (slug) => all.filter((product) => product.category === slug);
export const productsOnOffer = () => all.filter((product) => product.discountPrice !== null);

// Whole đồng, as they are written in Vietnam.
export const CURRENCY = "VND";
const format = new Intl.NumberFormat("vi-VN", { style: "currency", currency: CURRENCY });

export const money = (amount) => format.format(amount);
export const priceOf = ({ price, discountPrice }) => discountPrice ?? price;
export const discountOf = (product) => Math.round((1 - priceOf(product) / product.price) * 100);
