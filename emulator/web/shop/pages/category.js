// The page of a category.
import { trackCategoryView } from "/publisher/clickstreamEvents.js";
import { categoryOf, productsIn } from "../catalog.js";
import { element } from "../element.js";
import { cards } from "./card.js";
import { crumbs } from "./crumbs.js";
import { notFoundView } from "./notFound.js";

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
