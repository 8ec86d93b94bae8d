// Say which view a page has, in place of its `page_view`: once for each navigation, as long as they are on the page.
import { categoryFrom, productFrom } from "./catalogue.js";
import { useCommit } from "./ClickstreamProvider.js";
import { addTracker } from "./pageView.js";

/** @param {import("./pageView.js").View | false} view */
const useTracker = (view) => {
  const text = JSON.stringify(view); // pages make new objects each time they are rendered
  useCommit(() => addTracker(JSON.parse(text)), [text]);
  return null;
};

/** The page of the shop's home: `home_view`. */
export const HomeTracker = () => useTracker(["home_view", {}]);

/** @param {import("./catalogue.js").CatalogueCategory} category */
export const categoryView = (category) => {
  const { slug, name } = categoryFrom(category);
  return { product: { category: slug, name } }; // the contract has no other place for the name
};

/**
 * The page of a category: `category_view`. The view waits as long as there is no category.
 * @param {{ category: import("./catalogue.js").CatalogueCategory | null | undefined }} props
 */
export const CategoryTracker = ({ category }) => useTracker(!!category && ["category_view", categoryView(category)]);

/**
 * The page of a product: `product_view`. The view waits as long as there is no product.
 * @param {{ product: import("./catalogue.js").CatalogueProduct | null | undefined }} props
 */
export const ProductViewTracker = ({ product }) =>
  useTracker(!!product && ["product_view", { product: productFrom(product) }]);
