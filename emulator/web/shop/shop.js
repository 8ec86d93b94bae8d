// Starts the shop: loads what it needs, starts the publisher, and shows the page of the URL.
import { init } from "/publisher/src/index.js";
import { restoreAccount } from "./data/account.js";
import { setProducts } from "./data/catalog.js";
import { cartView } from "./pages/cart.js";
import { categoryView } from "./pages/category.js";
import { checkoutView } from "./pages/checkout.js";
import { homeView } from "./pages/home.js";
import { loadFailedView, notFoundView } from "./pages/messages.js";
import { orderView } from "./pages/order.js";
import { productView } from "./pages/product.js";
import { signInView } from "./pages/signIn.js";
import { wishlistView } from "./pages/wishlist.js";
import { showHeader } from "./parts/header.js";
import { showPipeline } from "./parts/pipeline.js";
import { startRouter } from "./router.js";

// Which page each URL shows; the last is for all other URLs.
const ROUTES = [
  [/^\/$/, homeView],
  [/^\/category\/([^/]+)$/, categoryView],
  [/^\/product\/([^/]+)$/, productView],
  [/^\/cart$/, cartView],
  [/^\/checkout$/, checkoutView],
  [/^\/order$/, orderView],
  [/^\/sign-in$/, signInView],
  [/^\/wishlist$/, wishlistView],
  [/^/, notFoundView],
];

// Fails with a message that a person can read.
const getJson= async (url) => {
  const answer = await fetch(url);
  const content = await answer.json().catch(() => null);
  if (!answer.ok || !content) throw new Error(content?.message ?? `${url} answered ${answer.status}`);
  return content;
};

const start = async () => {
  const [{ endpoint }, products] = await Promise.all([getJson("/api/stack"), getJson("/web/shop/products.json")]);
  setProducts(products);
  init({ endpoint });
  restoreAccount(); // before the first view, so that this event names the user
  showHeader();
  startRouter(ROUTES);
};

const open = async () => {
  try {
    await start();
  } catch (error) {
    document.getElementById("main").replaceChildren(...loadFailedView(error, open));
  }
};

showPipeline();
open();
