// Shows the page of the URL; follows links, and the browser's back and forward.
import { showCurrentPage } from "./parts/header.js";

const main = document.getElementById("main");
let routes; // pairs of a pattern for the path and the view that it shows
let shown; // the address of the page that is shown, without its fragment

const address = ({ pathname, search }) => pathname + search;
const routeOf = ({ pathname }) => routes.find(([pattern]) => pattern.test(pathname));

// A view is `{ title, content, track }`: what the page shows, and the event it sends once it is shown.
const show = () => {
  const [pattern, viewOf] = routeOf(location);
  const { title, content, track } = viewOf(...pattern.exec(location.pathname).slice(1));
  shown = address(location);
  document.title = `${title} · Gánh`;
  main.replaceChildren(...content);
  showCurrentPage();
  track?.();
};

/** After a change of page, screen readers and the keyboard continue at its heading. */
export const focusHeading = () => {
  const heading = main.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
};

/** Go to another page of the shop. */
export const goTo = (path) => {
  if (path !== shown) {
    history.pushState(null, "", path);
    show();
  }
  scrollTo(0, 0);
  focusHeading();
};

const isPlain = ({ button, metaKey, ctrlKey, shiftKey, altKey }) =>
  button === 0 && !(metaKey || ctrlKey || shiftKey || altKey);
const isPageOfShop = (link) => link?.origin === location.origin && !link.target && !link.hash;

const followLink = (click) => {
  const link = click.target.closest("a[href]");
  if (click.defaultPrevented || !isPlain(click) || !isPageOfShop(link)) return;
  click.preventDefault();
  goTo(address(link));
};

const followHistory = () => {
  if (address(location) === shown) return; // only the fragment changed
  show();
  focusHeading();
};

export const startRouter = (given) => {
  routes = given;
  document.addEventListener("click", followLink);
  addEventListener("popstate", followHistory);
  addEventListener("pageshow", ({ persisted }) => persisted && show()); // the browser kept the page and shows it again
  show();
};
