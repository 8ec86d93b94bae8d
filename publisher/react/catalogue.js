// Products and categories as a CMS keeps them, in the shape that the events carry. Works on a server too.

/**
 * @typedef {string | { current?: string | null } | null} Slug
 * @typedef {{ id?: string | number, _id?: string | number, slug?: Slug, name?: string, title?: string }} Document
 */

/** A category as a CMS has it, or its slug. @typedef {string | Document} CatalogueCategory */

/**
 * A product as a CMS has it.
 * @typedef {object} CatalogueMembers
 * @property {string | Document | null} [category]
 * @property {string} [brandName]
 * @property {string | { name?: string, title?: string } | null} [brand]
 * @property {number | string} [price]
 * @property {number | null} [discount] In percent. Counts if there is no `discountPrice`.
 * @property {number | string | null} [discountPrice] The price after the discount.
 * @property {string} [urlPath] By default the slug.
 * @typedef {Document & CatalogueMembers} CatalogueProduct
 */

/** @param {Document} document */
const slugOf = ({ slug }) => (typeof slug === "object" ? slug?.current : slug) ?? undefined;

/** @param {Document} document */
const idOf = ({ id, _id }) => id ?? _id;

/**
 * A category for an event: its slug, or else its id, and its name.
 * @param {CatalogueCategory} category
 * @returns {{ slug?: string, name?: string }}
 */
export const categoryFrom = (category) => {
  if (typeof category === "string") return { slug: category };
  return { slug: slugOf(category) ?? `${idOf(category)}`, name: category.name ?? category.title };
};

/**
 * A product for an event.
 * @param {CatalogueProduct} product
 */
export const productFrom = (product) => {
  const { name, title, category, brandName, brand, price, discount, discountPrice, urlPath } = product;
  return {
    id: idOf(product),
    name: name ?? title,
    category: category ? categoryFrom(category).slug : undefined,
    brand: brandName || (typeof brand === "object" ? brand?.name || brand?.title : brand),
    price,
    discountPrice: discountPrice ?? (discount ? Math.round(Number(price) * (100 - discount)) / 100 : null),
    urlPath: urlPath ?? slugOf(product),
  };
};
