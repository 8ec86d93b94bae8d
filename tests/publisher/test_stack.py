"""The publisher against the whole stack: real preflights, real CORS, raw objects and rows."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.shop import PublisherTest, Shop, assert_gapless, open_page, queue
from tests.support.stack_process import ROOT, StackProcess, wait_for

README = (ROOT / "README.md").read_text()
PRODUCT = {"id": "SKU-1", "name": "Áo khoác", "category": "jackets", "brand": {"title": "Nike"}, "price": 1_990_000,
           "discountPrice": 1_790_000.5, "urlPath": "/p/1"}  # fmt: skip
VISIT = f"""
    const product = {json.dumps(PRODUCT)}, cart = {{ items: [{{ ...product, quantity: 2 }}], currency: "VND" }};
    trackHomeView();
    history.pushState({{}}, "", "/jackets"); trackCategoryView("jackets");
    history.pushState({{}}, "", "/p/1"); trackProductView(product);
    trackWishlistToggle(product, true); trackShareClick(product, "zalo");
    trackAddToCart(product, cart); trackRemoveFromCart(product, {{ currency: "VND" }});
    trackLoginOpen(); trackLoginSuccess({{ userId: "u1", identitySource: "cognito" }});
    trackCheckoutStart(cart); trackCheckoutComplete({{ ...cart, id: "o1" }}); trackLogout();
    history.pushState({{}}, "", "/about");
"""
NAMES = [
    "home_view", "category_view", "product_view", "wishlist_toggle", "share_click", "add_to_cart_click",
    "remove_from_cart_click", "login_open", "login_success", "checkout_start", "checkout_complete", "logout",
    "page_view", "click",
]  # fmt: skip
COLUMNS = (
    "event_id, event_name, user_id, user_login_state, identity_source, client_id, session_id, is_first_visit, "
    "context_product_id, context_product_name, context_product_category, context_product_brand, "
    "context_product_price, context_product_discount_price, context_product_url_path"
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack."""
    stack = StackProcess(tmp_path_factory.mktemp("publisher") / "home").start()
    yield stack
    stack.clean_up()


class TestPublisher(PublisherTest):
    @pytest.fixture
    def shop(self, stack: StackProcess) -> Iterator[Shop]:
        """Give a shop that sends to the stack, and clear the stack's traces of other tests."""
        shop = Shop({"endpoint": stack.stack.endpoint})
        yield shop
        shop.stop()

    def raw(self, stack: StackProcess, client_id: str) -> list[dict[str, Any]]:
        """A client's raw objects, in the order of its events."""
        events = [json.loads((stack.bucket / key).read_bytes()) for key in stack.raw_keys()]
        return sorted((event for event in events if event["clientId"] == client_id), key=lambda event: event["seq"])

    def client_id(self, page: Page) -> str:
        """The visitor's client id."""
        return str(page.evaluate("localStorage['clickstream.client']"))

    def count(self, stack: StackProcess, client_id: str) -> int:
        """How many rows the warehouse has of a client."""
        [(count,)] = stack.ask("SELECT count(*) FROM clickstream_events WHERE client_id = %s", client_id) or [(0,)]
        return int(count)

    def test_a_whole_visit_is_in_raw_and_in_the_warehouse(self, stack: StackProcess, shop: Shop, page: Page) -> None:
        """Exactly its events, each once, each field in its column."""
        shop.bodies["/"] = "<button id=more>More</button>"
        shop.scripts["/"] = VISIT
        open_page(page, f"{shop.url}/")
        page.click("#more")
        client_id = self.client_id(page)
        wait_for(lambda: self.count(stack, client_id) >= len(NAMES))
        events = self.raw(stack, client_id)
        assert [event["eventName"] for event in events] == NAMES
        assert [event["seq"] for event in events] == list(range(1, len(NAMES) + 1))
        rows = {
            str(row[0]): row[1:]
            for row in stack.ask(f"SELECT {COLUMNS} FROM clickstream_events WHERE client_id = %s", client_id)
        }
        assert len(rows) == len(NAMES)
        signed_in = ("login_success", "checkout_start", "checkout_complete", "logout")
        with_product = ("product_view", "wishlist_toggle", "share_click", "add_to_cart_click", "remove_from_cart_click")
        for event in events:
            name = event["eventName"]
            user = ("u1", "logged_in", "cognito") if name in signed_in else (None, "anonymous", None)
            product: tuple[Any, ...] = (None,) * 7
            if name in with_product:
                product = ("SKU-1", "Áo khoác", "jackets", "Nike", 1_990_000, 1_790_001, "/p/1")
            elif name == "category_view":
                product = (None, None, "jackets", None, None, None, None)
            assert rows[event["eventId"]] == (name, *user, client_id, event["sessionId"], True, *product)
        assert events[10]["order"]["total"] == 3_580_001
        assert events[13]["element"]["id"] == "more"

    def test_the_lines_of_the_readme_are_enough(self, stack: StackProcess, shop: Shop, page: Page) -> None:
        """In a bare page: its view and a click are sent, and one call waits for them."""
        lines = re.search(r'```html\n(<script type="module">.*?</script>)\n```', README, re.DOTALL)
        assert lines is not None
        assert len(lines[1].splitlines()) == 5
        script = lines[1].replace("https://collect.example/clickstream", stack.stack.endpoint)
        shop.pages["/bare"] = f"<!doctype html><title>Bare</title><button>Buy</button>{script}"
        page.goto(f"{shop.url}/bare")
        page.get_by_role("button").click()
        client_id = self.client_id(page)
        for name in ("page_view", "click"):
            url = f"{stack.stack.web_url}/api/wait?eventName={name}&clientId={client_id}&timeout=20"
            assert subprocess.run(["curl", "-sf", url], capture_output=True, check=False).returncode == 0

    def test_a_stack_that_was_down_gets_everything_once(self, stack: StackProcess, shop: Shop, page: Page) -> None:
        """What shoppers did meanwhile is there when it is up again."""
        open_page(page, f"{shop.url}/")
        client_id = self.client_id(page)
        wait_for(lambda: self.count(stack, client_id) == 1)
        stack.stop()
        page.evaluate("for (let n = 0; n < 20; n++) trackCustom('step')")
        wait_for(lambda: len(queue(page)) == 20)
        stack.start()
        wait_for(lambda: self.count(stack, client_id) >= 21, 60)
        page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('clickstream.queue'))")
        assert self.count(stack, client_id) == 21
        assert_gapless(self.raw(stack, client_id))

    def test_a_tracing_agent_may_add_its_headers(self, stack: StackProcess, shop: Shop, page: Page) -> None:
        """Browsers ask whether they may, and ingest allows what such agents send."""
        page.add_init_script(
            "const plain = fetch; window.fetch = (url, given) => plain(url, { ...given, headers:"
            " { ...given.headers, traceparent: '00-1-2-01', 'x-datadog-trace-id': '1', 'sentry-trace': '1' } })"
        )
        open_page(page, f"{shop.url}/")
        client_id = self.client_id(page)
        wait_for(lambda: self.count(stack, client_id) == 1)

    def test_a_burst_is_all_there(self, stack: StackProcess, shop: Shop, page: Page) -> None:
        """500 events from an open tab: as many rows."""
        open_page(page, f"{shop.url}/")
        client_id = self.client_id(page)
        page.evaluate("for (let n = 0; n < 500; n++) trackCustom('step')")
        wait_for(lambda: self.count(stack, client_id) >= 501, 60)
        assert self.count(stack, client_id) == 501
