"""The publisher for React, on bare pages: in development, where React mounts everything twice (Strict Mode)."""

import gzip
import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.support.chromium import FLAGS, program
from tests.support.collector import Collector, Event
from tests.support.next_shop import SHOP, install, node
from tests.support.shop import PUBLISHER, PublisherTest, Shop, open_page, stored_keys
from tests.support.stack_process import wait_for

pytestmark = pytest.mark.slow

MOST_BYTES = 1_536
# What a page's script finds besides what React and the publisher export.
KIT = """
export * from "react";
export * from "react-dom/client";
export { renderToString } from "react-dom/server";
export * as react from "@clickstream/publisher/react";
export * as core from "@clickstream/publisher";
export * as catalogue from "@clickstream/publisher/catalogue";
"""
PRODUCT = {
    "_id": 7,
    "slug": {"current": "boot"},
    "name": "Boot",
    "brand": {"name": "Bến"},
    "price": 100,
    "discount": 25,
}


# Bundles that script; `process.env.NODE_ENV` makes it React for development.
BUNDLE = """
import { createRequire } from "node:module";
const [, contents, resolveDir, publisher] = process.argv;
const { buildSync } = createRequire(publisher + "/build.js")("esbuild");
const define = { "process.env.NODE_ENV": '"development"' };
const stdin = { contents, resolveDir };
process.stdout.write(buildSync({ stdin, define, bundle: true, globalName: "kit", write: false }).outputFiles[0].text);
"""


@pytest.fixture(scope="session")
def kit() -> str:
    """Give a script with React, for development, and the built publisher, as `kit`."""
    install()
    return node("--input-type=module", "-e", BUNDLE, KIT, SHOP, PUBLISHER)


class TestFiles:
    @pytest.mark.usefixtures("kit")
    def test_react_is_a_small_part(self) -> None:
        """At most 1.5 KB gzipped beyond the core, and marked as a part for browsers."""
        script = (PUBLISHER / "dist" / "react.js").read_bytes()
        assert len(gzip.compress(script, 9, mtime=0)) <= MOST_BYTES
        assert (PUBLISHER / "dist" / "react.js").read_text().startswith('"use client"')

    def test_it_holds_no_second_core(self) -> None:
        """Else it would have another queue than the shop's own calls."""
        assert 'from"./index.js"' in (PUBLISHER / "dist" / "react.js").read_text()


class TestReact(PublisherTest):
    @pytest.fixture(autouse=True)
    def serve_kit(self, shop: Shop, kit: str) -> None:
        """Let the shop's pages be made by React."""
        shop.files["/kit.js"] = kit

    def show(self, shop: Shop, page: Page, script: str, path: str = "/") -> None:
        """Open a page whose script renders it: `render(provider properties, children)`."""
        shop.pages[path] = f"""<!doctype html><title>Shop</title><link rel=icon href=data:,><body><div id=root></div>
<script src="/kit.js"></script>
<script type="module">
  const {{ createElement: h, useState, useEffect, Suspense, StrictMode, use, startTransition, createRoot, core }} = kit;
  Object.assign(window, kit.react, core, {{ product: {json.dumps(PRODUCT)} }});
  const root = createRoot(document.getElementById("root"));
  const endpoint = {json.dumps(shop.options["endpoint"])};
  window.render = (properties, ...children) =>
    root.render(h(StrictMode, null, h(ClickstreamProvider, {{ endpoint, ...properties }}, ...children)));
  {script}
  window.ready = true;
</script>"""
        open_page(page, f"{shop.url}{path}")

    def expect(self, collector: Collector, *names: str) -> list[Event]:
        """Exactly these events have arrived, in this order."""
        wait_for(lambda: len(collector.unique()) >= len(names), 15)
        time.sleep(0.5)
        events = sorted(collector.unique(), key=lambda event: event["seq"])
        found = [event["eventName"] for event in events]
        assert found == list(names)
        return events

    def test_a_page_without_a_tracker_has_an_automatic_view(self, shop: Shop, page: Page, collector: Collector) -> None:
        """One, although every effect runs twice."""
        self.show(shop, page, "render({}, h('h1', null, 'Shop'))")
        self.expect(collector, "page_view")

    @pytest.mark.parametrize(
        ("tracker", "name"),
        [
            ("h(HomeTracker)", "home_view"),
            ("h(CategoryTracker, { category: 'shoes' })", "category_view"),
            ("h(ProductViewTracker, { product })", "product_view"),
        ],
    )
    def test_a_tracker_is_the_view(self, shop: Shop, page: Page, collector: Collector, tracker: str, name: str) -> None:
        """In place of the automatic one, and once."""
        self.show(shop, page, f"render({{}}, {tracker})")
        self.expect(collector, name)

    def test_products_may_be_those_of_a_cms(self, shop: Shop, page: Page, collector: Collector) -> None:
        """For trackers, and for every helper that takes a product."""
        self.show(shop, page, "render({}, h(ProductViewTracker, { product })); ")
        self.expect(collector, "product_view")
        page.evaluate("useClickstream().trackShareClick(product, 'zalo')")
        view, share = self.expect(collector, "product_view", "share_click")
        expected = {"id": 7, "name": "Boot", "brand": "Bến", "price": 100, "discountPrice": 75, "urlPath": "boot"}
        assert view["product"] == share["product"] == expected

    def test_the_first_view_waits_for_the_user(self, shop: Shop, page: Page, collector: Collector) -> None:
        """And goes once, with the right one; a change of user is no view."""
        self.show(shop, page, "render({ user: undefined }, h(HomeTracker))")
        time.sleep(0.7)
        assert collector.unique() == []
        page.evaluate("render({ user: { userId: 'u1' } }, kit.createElement(HomeTracker))")
        [view] = self.expect(collector, "home_view")
        assert (view["userId"], view["userLoginState"]) == ("u1", "logged_in")
        page.evaluate("render({ user: null }, kit.createElement(HomeTracker))")
        page.evaluate("track('later')")
        assert self.expect(collector, "home_view", "later")[1]["userId"] is None

    def test_the_first_view_waits_two_seconds_at_most(self, shop: Shop, page: Page, collector: Collector) -> None:
        """Then nobody is signed in."""
        self.show(shop, page, "render({ user: undefined }, h(HomeTracker))")
        shown = time.monotonic()
        [view] = self.expect(collector, "home_view")
        assert 1.5 < time.monotonic() - shown < 5
        assert view["userLoginState"] == "anonymous"

    def test_the_view_waits_for_what_the_page_shows(self, shop: Shop, page: Page, collector: Collector) -> None:
        """A product that an effect fetches comes long after the page's first commit."""
        self.show(
            shop,
            page,
            """const Page = () => {
              const [shown, show] = useState();
              useEffect(() => { const timer = setTimeout(show, 700, product); return () => clearTimeout(timer); }, []);
              return h(ProductViewTracker, { product: shown });
            };
            render({}, h(Page))""",
        )
        [view] = self.expect(collector, "product_view")
        assert view["product"]["id"] == 7

    def test_the_view_waits_for_a_boundary(self, shop: Shop, page: Page, collector: Collector) -> None:
        """A part of the page that suspends may hold its tracker."""
        self.show(
            shop,
            page,
            """const later = new Promise((resolve) => setTimeout(resolve, 700, product));
            const Page = () => h(ProductViewTracker, { product: use(later) });
            render({}, h(Suspense, { fallback: 'Loading' }, h(Page)))""",
        )
        self.expect(collector, "product_view")

    @pytest.mark.parametrize("boundary", ["Suspense", "Activity"])
    def test_the_view_waits_for_hydration(self, shop: Shop, page: Page, collector: Collector, boundary: str) -> None:
        """React hydrates what a boundary holds after the rest of the page."""
        self.show(
            shop,
            page,
            f"""const content = h(kit.{boundary}, null, h(ProductViewTracker, {{ product }}), h('h1', null, 'Boot'));
            const page = h(ClickstreamProvider, {{ endpoint }}, content);
            const container = document.getElementById('root').appendChild(document.createElement('main'));
            container.innerHTML = kit.renderToString(page);
            document.body.append(container);
            kit.hydrateRoot(container, page)""",
        )
        self.expect(collector, "product_view")

    def test_a_click_does_not_wait(self, shop: Shop, page: Page, collector: Collector) -> None:
        """The page has its one view before it; a tracker that comes later adds none."""
        self.show(
            shop,
            page,
            """const later = new Promise((resolve) => setTimeout(resolve, 700, product));
            const Page = () => h(ProductViewTracker, { product: use(later) });
            render({}, h('button', null, 'Menu'), h(Suspense, { fallback: 'Loading' }, h(Page)))""",
        )
        page.click("button")
        time.sleep(1)
        self.expect(collector, "page_view", "click")

    def test_a_page_that_is_left_does_not_wait(self, shop: Shop, page: Page, collector: Collector) -> None:
        """Even if a part of it never comes."""
        self.show(shop, page, "render({}, h(Suspense, { fallback: 'Loading' }, h(() => use(new Promise(() => {})))))")
        time.sleep(0.5)
        assert collector.unique() == []
        page.goto("about:blank")
        self.expect(collector, "page_view")

    def test_the_view_waits_for_the_page_of_the_address(self, shop: Shop, page: Page, collector: Collector) -> None:
        """Routers follow back and forward in a transition: the page before is shown meanwhile, with its tracker."""
        self.show(
            shop,
            page,
            """const load = (path) => new Promise((resolve) => setTimeout(resolve, 400, path));
            const Page = ({ path }) => use(path) === '/' ? h(HomeTracker) : h(ProductViewTracker, { product });
            const Router = () => {
              const [path, setPath] = useState(() => Promise.resolve('/'));
              useEffect(() => {
                const follow = () => startTransition(() => setPath(load(location.pathname)));
                addEventListener('popstate', follow);
                window.push = (to) => { history.pushState(null, '', to); follow(); };
                return () => removeEventListener('popstate', follow);
              }, []);
              return h(Suspense, { fallback: 'Loading' }, h(Page, { path }));
            };
            render({}, h(Router))""",
        )
        self.expect(collector, "home_view")
        page.evaluate("push('/boot')")
        self.expect(collector, "home_view", "product_view")
        page.go_back()
        events = self.expect(collector, "home_view", "product_view", "home_view")
        assert [event["pageUrl"] for event in events] == [f"{shop.url}/", f"{shop.url}/boot", f"{shop.url}/"]

    def test_a_dialog_has_the_view_while_it_is_open(self, shop: Shop, page: Page, collector: Collector) -> None:
        """Its tracker lies on top of that of the page below."""
        self.show(
            shop,
            page,
            """const below = h(CategoryTracker, { category: 'shoes' });
            const show = () => render({}, below, location.pathname === '/' ? null : h(ProductViewTracker, { product }));
            addEventListener('popstate', show);
            window.push = (to) => { history.pushState(null, '', to); show(); };
            show()""",
        )
        self.expect(collector, "category_view")
        page.evaluate("push('/boot')")
        self.expect(collector, "category_view", "product_view")
        page.go_back()
        self.expect(collector, "category_view", "product_view", "category_view")

    def test_events_wait_for_consent(self, shop: Shop, page: Page, collector: Collector) -> None:
        """What is tracked before the provider has started too; nothing is stored."""
        self.show(shop, page, "track('early'); render({ consent: 'pending' }, h(HomeTracker))")
        time.sleep(0.5)
        assert stored_keys(page) == []
        page.evaluate("render({ consent: 'granted' }, kit.createElement(HomeTracker))")
        self.expect(collector, "early", "home_view")

    def test_buttons_have_an_event_of_their_own(self, shop: Shop, page: Page, collector: Collector) -> None:
        """No click as well, and none if the shop could not do it."""
        self.show(
            shop,
            page,
            """const Buttons = () => {
              const [liked, like] = useState(false);
              const cart = { items: [{ id: 7, price: 75 }], currency: 'VND' };
              return [
                h('button', { key: 1, id: 'add', ...useAddToCart(product, async () => cart) }, 'Add'),
                h('button', { key: 2, id: 'like', ...useFavorite(product, liked, like) }, 'Like'),
                h('button', { key: 3, id: 'sold', ...useAddToCart(product, () => Promise.reject('none left')) }, 'Add'),
                h(IgnoreClicks, { key: 4 }, h('button', { id: 'quiet' }, 'Quiet')),
                h('button', { key: 5, id: 'plain' }, 'Plain'),
              ];
            };
            addEventListener('unhandledrejection', (event) => event.preventDefault());
            render({}, h(Buttons))""",
        )
        for name in ("sold", "add", "like", "quiet"):
            page.click(f"#{name}")
        page.wait_for_selector("#like[aria-pressed=true]")
        page.click("#plain")
        _view, added, liked, _click = self.expect(
            collector, "page_view", "add_to_cart_click", "wishlist_toggle", "click"
        )
        assert (added["cart"]["total"], liked["wishlisted"]) == (75, True)

    @pytest.mark.parametrize(("page_of", "name"), [("h(HomeTracker)", "home_view"), ("'Shop'", "page_view")])
    def test_a_page_that_the_browser_kept_has_a_view_again(
        self, shop: Shop, playwright: Playwright, collector: Collector, page_of: str, name: str
    ) -> None:
        """React renders nothing then."""
        browser = playwright.chromium.launch(
            executable_path=program(), args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
        )
        page = browser.new_page()
        self.show(shop, page, f"render({{}}, {page_of})")
        self.expect(collector, name)
        page.evaluate("window.isKept = true")
        page.goto(f"{shop.url}/publisher/package.json")
        page.go_back(wait_until="commit")
        assert page.evaluate("window.isKept")
        self.expect(collector, name, name)
        browser.close()

    def test_components_find_every_function(self, shop: Shop, page: Page) -> None:
        """All that the publisher exports."""
        self.show(shop, page, "render({})")
        assert page.evaluate("Object.keys(kit.core).filter((name) => !(name in useClickstream()))") == []


CATALOGUE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("ids and slugs of a CMS", {"_id": "a", "slug": {"current": "b"}}, {"id": "a", "urlPath": "b"}),
    ("plain ids and slugs", {"id": 1, "slug": "b"}, {"id": 1, "urlPath": "b"}),
    ("a path of its own", {"slug": "b", "urlPath": "/p/b"}, {"urlPath": "/p/b"}),
    ("a title", {"title": "Boot"}, {"name": "Boot"}),
    ("a brand as text", {"brand": "Bến"}, {"brand": "Bến"}),
    ("a brand with a name", {"brand": {"name": "Bến"}}, {"brand": "Bến"}),
    ("a brand with a title", {"brand": {"title": "Bến"}}, {"brand": "Bến"}),
    ("a brand's name beside it", {"brandName": "Bến", "brand": {"name": "B"}}, {"brand": "Bến"}),
    ("a discount in percent", {"price": 19.99, "discount": 15}, {"price": 19.99, "discountPrice": 16.99}),
    ("a discount of nothing", {"price": 20, "discount": 0}, {"price": 20}),
    ("a discounted price", {"price": 20, "discount": 50, "discountPrice": 15}, {"price": 20, "discountPrice": 15}),
    ("a category as text", {"category": "shoes"}, {"category": "shoes"}),
    ("a category with a slug", {"category": {"_id": "c", "slug": {"current": "shoes"}}}, {"category": "shoes"}),
    ("a category without a slug", {"category": {"_id": "c", "name": "Shoes"}}, {"category": "c"}),
]


class TestCatalogue:
    @pytest.mark.usefixtures("kit")
    @pytest.mark.parametrize(
        ("product", "expected"), [case[1:] for case in CATALOGUE], ids=[case[0] for case in CATALOGUE]
    )
    def test_a_product_of_a_cms_is_one_for_events(self, product: dict[str, Any], expected: dict[str, Any]) -> None:
        """On a server too: it takes no browser."""
        script = f"import {{ productFrom }} from {json.dumps((PUBLISHER / 'dist' / 'catalogue.js').as_uri())};"
        printed = node(
            "--input-type=module", "-e", f"{script} console.log(JSON.stringify(productFrom({json.dumps(product)})))"
        )
        assert {name: value for name, value in json.loads(printed).items() if value is not None} == expected
