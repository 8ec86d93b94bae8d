// Starts the shop: loads what it needs, starts the publisher, and shows the page of the URL.
import { init } from "/publisher/clickstreamClient.js";
import { restoreAccount } from "./account.js";
import { loadProducts } from "./catalog.js";
import { showHeader } from "./header.js";
import { getJson } from "./json.js";
import { showPipeline } from "./pipeline.js";
import { startRouter } from "./router.js";
import { ROUTES } from "./routes.js";
import { loadFailedView } from "./views/loadFailed.js";

const start = async () => {
  const [{ endpoint }] = await Promise.all([getJson("/api/stack"), loadProducts()]);
  init({ endpoint });
  restoreAccount(); // before the first view, so that it says who
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
