// Tells whoever shows the cart, the wishlist or the account that they have changed, in this tab or in another.

const changes = new EventTarget();

export const tellChange = () => changes.dispatchEvent(new Event("change"));
export const onChange = (listener) => {
  changes.addEventListener("change", listener);
  addEventListener("storage", ({ key }) => {
    if (!key || key.startsWith("shop.")) listener();
  });
};
