// How a shop in TypeScript calls the publisher: what has to compile, and what must not.
import { init, optIn, optOut, setUser, track, type BaseEvent, type Options } from "/publisher/src/index.js";
import * as shop from "/publisher/src/index.js";

const options: Options = {
  endpoint: "https://collector.example/clickstream",
  headers: { "X-Api-Key": "key" },
  privateParameters: ["^ref$"],
  hasDomainView: (page) => page.pathname.startsWith("/product/"),
};
init(options);
init();
setUser({ userId: "u-1", identitySource: "cognito" });
track("search", { query: "shoes" });
optOut();
optIn();

const product = { id: "p-1", name: "Jacket", price: 100, brand: { title: "Maker" }, discountPrice: null };
const item = { id: "p-1", price: 100, quantity: 2 };
shop.trackProductView(product);
shop.trackAddToCart(product, { items: [item], currency: "VND" });
shop.trackCheckoutComplete({ id: "G-1", items: [item], total: 200 });
shop.trackLoginSuccess({ userId: "u-1" });
shop.trackCustom("coupon_apply", { coupon: "TET" });

export const nameOf = ({ publisher }: BaseEvent): string => `${publisher.name} ${publisher.version}`;

// @ts-expect-error  it is spelled `endpoint`
init({ endPoint: "https://collector.example/clickstream" });
// @ts-expect-error  a login state is one of two words
setUser({ userId: "u-1", userLoginState: "yes" });
// @ts-expect-error  an order has an id
shop.trackCheckoutComplete({ items: [item] });
// @ts-expect-error  it takes the category, not a product
shop.trackCategoryView(product);
// @ts-expect-error  an event has a name
track();
