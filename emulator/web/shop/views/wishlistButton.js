// The button that puts a product on the wishlist, and takes it off again.
import { announce } from "../announcement.js";
import { icon } from "../art.js";
import { element } from "../element.js";
import { isWishlisted, toggleWishlisted } from "../wishlist.js";

export const wishlistButton = (product, className, label, afterwards = () => {}) => {
  const button = element(
    "button",
    { type: "button", class: className, "aria-pressed": isWishlisted(product), "data-product-id": product.id },
    icon("heart"),
    label,
  );
  button.addEventListener("click", () => {
    const wishlisted = toggleWishlisted(product);
    button.setAttribute("aria-pressed", wishlisted);
    announce(`${wishlisted ? "On" : "Off"} your wishlist: ${product.name}`);
    afterwards();
  });
  return button;
};
