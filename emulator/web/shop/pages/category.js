// The page of a category.
import { trackCategoryView } from "/publisher/src/index.js";
import { categoryOf, productsIn } from "../data/catalog.js";
import { cards } from "../parts/card.js";
import { crumbs } from "../parts/crumbs.js";
import { element } from "../parts/element.js";
import { notFoundView } from "./messages.js";

export const categoryView = (slug) => {
  const category = categoryOf(slug);
  if (!category) return notFoundView();
  const products = productsIn(slug);
  return {
    title: category.name,
    content: [
      crumbs(),
      element("h1", {}, category.name),
      element("p", { class: "lead" }, category.line),
      element("h2", { class: "number-of-products" }, `${products.length} products`),
      cards(products),
    ],
    track: () => trackCategoryView(slug),
  };
};
