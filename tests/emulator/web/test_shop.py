"""The shop in a real browser, against the whole stack: what a shopper does is in raw, in the warehouse and in view."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.support.shop import assert_gapless
from tests.support.stack_process import StackProcess, wait_for

pytestmark = pytest.mark.stack

KETTLE: dict[str, Any] = {
    "id": "pour-kettle",
    "name": "Gooseneck Kettle 0.8 L",
    "category": "coffee",
    "brand": "Phin & Co",
    "price": 790_000,
    "discountPrice": 670_000,
    "urlPath": "/product/pour-kettle",
}
ITEM = {"id": "pour-kettle", "quantity": 1, "price": 670_000}
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
# What happens on which page; each line of a purchase is one event. A control that has an event of its own has no click.
PURCHASE = [
    ("home_view", "/"),
    ("click", "/"),
    ("category_view", "/category/coffee"),
    ("click", "/category/coffee"),
    ("product_view", "/product/pour-kettle"),
    ("add_to_cart_click", "/product/pour-kettle"),
    ("click", "/product/pour-kettle"),
    ("page_view", "/cart"),
    ("checkout_start", "/checkout"),
    ("page_view", "/checkout"),
    ("checkout_complete", "/checkout"),
    ("page_view", "/order"),
    ("login_open", "/sign-in"),
    ("page_view", "/sign-in"),
    ("login_success", "/sign-in"),
    ("home_view", "/"),
    ("logout", "/"),
]
SIGNED_IN = PURCHASE[-3:]
CLICKED = [
    ("a", None),
    ("a", None),
    ("a", "cart-link"),
]
COLUMNS = {
    "userId": "user_id",
    "userLoginState": "user_login_state",
    "identitySource": "identity_source",
    "clientId": "client_id",
    "sessionId": "session_id",
    "isFirstVisit": "is_first_visit",
}
PRODUCT_COLUMNS = {
    "id": "context_product_id",
    "name": "context_product_name",
    "category": "context_product_category",
    "brand": "context_product_brand",
    "price": "context_product_price",
    "discountPrice": "context_product_discount_price",
    "urlPath": "context_product_url_path",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """Give one running stack."""
    stack = StackProcess(tmp_path_factory.mktemp("page") / "home").start()
    yield stack
    stack.clean_up()


@pytest.fixture
def shopper(browser: Browser, stack: StackProcess) -> Iterator[BrowserContext]:
    """Give the browser of someone who never was here before, in which nothing may go wrong unnoticed."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.stack.web_url)
    context.set_default_timeout(15_000)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def page(shopper: BrowserContext) -> Page:
    """Give a tab at the shop's home."""
    page = shopper.new_page()
    page.goto("/")
    return page


def client_id(page: Page) -> str:
    return str(page.evaluate("localStorage['clickstream.client']"))


def raw(stack: StackProcess, client: str) -> list[dict[str, Any]]:
    """A client's events in raw, in their order; each once, since one may be sent again when its page is left."""
    objects = (json.loads((stack.bucket / key).read_bytes()) for key in stack.raw_keys())
    events = {event["eventId"]: event for event in objects if event["clientId"] == client}
    return sorted(events.values(), key=lambda event: event["seq"])


def rows(stack: StackProcess, client: str) -> dict[str, dict[str, Any]]:
    """A client's rows, by event id."""
    names = ["event_id", "event_name", *COLUMNS.values(), *PRODUCT_COLUMNS.values()]
    found = stack.ask(f"SELECT {', '.join(names)} FROM clickstream_events WHERE client_id = %s", client)
    return {str(row[0]): dict(zip(names, row, strict=True)) for row in found}


def names(stack: StackProcess, client: str, count: int) -> list[str]:
    """The names of a client's events in the warehouse, once there are so many."""
    wait_for(lambda: len(rows(stack, client)) >= count)
    return [event["eventName"] for event in raw(stack, client)]


def buy(page: Page) -> None:
    """A whole visit: home → category → product → cart → checkout → sign-in and out."""
    page.get_by_role("link", name="Coffee").first.click()
    page.get_by_role("link", name=KETTLE["name"]).click()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Cart").click()
    page.get_by_role("link", name="Checkout").click()
    page.get_by_label("Name", exact=True).fill("Linh Tran")
    page.get_by_label("Phone").fill("+84 90 123 4567")
    page.get_by_label("Address").fill("1 Secret Street")
    page.get_by_role("button", name="Place order").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail or name").fill("linh@example.vn")
    page.get_by_label("Password").fill("hunter2")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").click()


class TestVisit:
    def test_a_whole_visit_is_in_raw_and_in_the_warehouse(self, stack: StackProcess, page: Page) -> None:
        """Exactly its events, each once, each field checked; nothing that was typed is among them."""
        buy(page)
        client = client_id(page)
        wait_for(lambda: len(rows(stack, client)) >= len(PURCHASE))
        events, found = raw(stack, client), rows(stack, client)
        base = stack.stack.web_url
        assert [(event["eventName"], event["pageUrl"].removeprefix(base)) for event in events] == PURCHASE
        assert_gapless(events)
        assert len(found) == len(events) == len({event["eventId"] for event in events})
        assert len({(event["sessionId"], event["tabId"]) for event in events}) == 1
        assert all(event["dropped"] == {"overflow": 0, "refused": 0, "withheld": 0} for event in events)
        assert all(len(event["_ingest"]) == 9 for event in events)
        for event, happened in zip(events, PURCHASE, strict=True):
            row = found[event["eventId"]]
            assert row["event_name"] == event["eventName"]
            assert {column: event[name] for name, column in COLUMNS.items()}.items() <= row.items()
            state = (
                ("logged_in", "demo")
                if happened in SIGNED_IN and events.index(event) >= len(PURCHASE) - len(SIGNED_IN)
                else ("anonymous", None)
            )
            assert (event["userLoginState"], event["identitySource"]) == state
            assert (event["userId"] or "").startswith("user-") == (state[0] == "logged_in")
            assert event["isFirstVisit"] is True
            product = event.get("product", {})
            assert {column: product.get(name) for name, column in PRODUCT_COLUMNS.items()}.items() <= row.items()
        text = json.dumps(events)
        # Long enough that no id holds them by chance.
        secrets = ("Linh", "123 4567", "1234567", "Secret", "linh@", "hunter2")
        assert not [secret for secret in secrets if secret in text]

    def test_each_event_has_its_context(self, stack: StackProcess, page: Page) -> None:
        """Product, cart, order, and what was clicked."""
        buy(page)
        client = client_id(page)
        names(stack, client, len(PURCHASE))
        events = raw(stack, client)
        by_name = {event["eventName"]: event for event in events}
        cart = {"items": [ITEM], "total": 670_000, "currency": "VND"}
        assert by_name["category_view"]["product"] == {"category": "coffee"}
        assert by_name["product_view"]["product"] == by_name["add_to_cart_click"]["product"] == KETTLE
        assert by_name["add_to_cart_click"]["cart"] == by_name["checkout_start"]["cart"] == cart
        order = by_name["checkout_complete"]["order"]
        assert order | {"id": ""} == cart | {"id": ""}
        assert order["id"].startswith("G-")
        clicks = [event["element"] for event in events if event["eventName"] == "click"]
        assert [(click["tag"], click["id"]) for click in clicks] == CLICKED
        assert clicks[-1]["text"] == "Cart 1"
        referrers = [event["referrer"].removeprefix(stack.stack.web_url) for event in events]
        assert referrers[:5] == ["", "", "/", "/", "/category/coffee"]

    def test_wishlist_share_and_removal(self, stack: StackProcess, page: Page) -> None:
        """What else one can do to a product: each has its own event, and no click beside it."""
        page.goto(KETTLE["urlPath"])
        page.get_by_role("button", name="Save to wishlist").click()
        page.get_by_role("button", name="Copy link").click()
        page.get_by_role("button", name="Add to cart").click()
        page.get_by_role("link", name="Cart").click()
        page.get_by_role("button", name=f"One more {KETTLE['name']}").click()
        page.get_by_role("button", name=f"Remove {KETTLE['name']}").click()
        expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()
        client = client_id(page)
        wait_for(lambda: "remove_from_cart_click" in [row["event_name"] for row in rows(stack, client).values()])
        assert names(stack, client, 9) == [
            "home_view", "product_view", "wishlist_toggle", "share_click", "add_to_cart_click", "click", "page_view",
            "add_to_cart_click", "remove_from_cart_click",
        ]  # fmt: skip
        by_name = {event["eventName"]: event for event in raw(stack, client)}
        assert by_name["wishlist_toggle"]["wishlisted"] is True
        assert by_name["share_click"]["channel"] == "copy_link"
        assert by_name["add_to_cart_click"]["cart"]["total"] == 1_340_000
        assert by_name["remove_from_cart_click"]["cart"]["items"] == []

    def test_back_forward_and_reload_send_one_view_each(self, stack: StackProcess, page: Page) -> None:
        """Also of a page that is opened by its address."""
        page.goto("/category/coffee")
        page.go_back()
        page.go_forward()
        page.reload()
        expect(page.get_by_role("heading", name="Coffee")).to_be_visible()
        expected = ["home_view", "category_view", "home_view", "category_view", "category_view"]
        assert names(stack, client_id(page), 5) == expected

    def test_a_signed_in_shopper_is_known_after_a_reload(self, stack: StackProcess, page: Page) -> None:
        """From the first event on."""
        page.goto("/sign-in")
        page.get_by_label("E-mail or name").fill("linh")
        page.get_by_label("Password").fill("x")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        client = client_id(page)
        names(stack, client, 5)
        *_, success, home, again = raw(stack, client)
        assert [event["eventName"] for event in (success, home, again)] == ["login_success", "home_view", "home_view"]
        assert success["userId"] == home["userId"] == again["userId"] is not None


class TestUse:
    def test_by_keyboard(self, stack: StackProcess, page: Page) -> None:
        """The skip link, a link and a button with Enter; focus goes to the heading of the next page."""
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.get_by_role("link", name="Coffee").first.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Coffee", level=1)).to_be_focused()
        page.get_by_role("link", name=KETTLE["name"]).focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Add to cart").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="Added to cart")).to_be_visible()
        assert "add_to_cart_click" in names(stack, client_id(page), 6)

    def test_on_a_phone(self, browser: Browser, stack: StackProcess) -> None:
        """Nothing is wider than the screen, and the pipeline is a sheet that one opens."""
        context = browser.new_context(
            viewport={"width": 360, "height": 740}, base_url=stack.stack.web_url, has_touch=True
        )
        page = context.new_page()
        for path in ("/", "/category/coffee", KETTLE["urlPath"], "/cart", "/sign-in", "/wishlist", "/pipeline"):
            page.goto(path)
            page.get_by_role("heading", level=1).wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        page.goto("/")
        assert page.locator("iframe").count() == 0
        page.get_by_role("button", name="Show pipeline").tap()
        expect(page.frame_locator("iframe").get_by_role("heading", name="Pipeline")).to_be_visible()
        context.close()

    def test_a_stack_that_does_not_answer_is_said(self, browser: Browser, stack: StackProcess) -> None:
        """And tried again on request; no blank page."""
        context = browser.new_context(base_url=stack.stack.web_url)
        page = context.new_page()
        page.route("**/api/stack", lambda route: route.fulfill(status=503, json={"success": False, "message": "down"}))
        page.goto("/")
        expect(page.get_by_role("heading", name="The shop cannot be opened")).to_be_visible()
        page.unroute("**/api/stack")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("link", name="Coffee").first).to_be_visible()
        context.close()

    def test_a_hostile_name_is_shown_as_text_everywhere(self, shopper: BrowserContext) -> None:
        """In each page of the shop; that no error is logged shows that no policy had to step in."""

        def rename(route: Route) -> None:
            route.fulfill(json=[product | {"name": HOSTILE} for product in route.fetch().json()])

        page = shopper.new_page()
        page.route("**/products.json", rename)
        for path in ("/", "/category/coffee", KETTLE["urlPath"]):
            page.goto(path)
            expect(page.get_by_text(HOSTILE).first).to_be_visible()
        page.get_by_role("button", name="Save to wishlist").click()
        page.get_by_role("button", name="Add to cart").click()
        expect(page.get_by_role("status").filter(has_text=HOSTILE)).to_be_visible()
        page.get_by_role("link", name="Wishlist").click()
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        page.get_by_role("link", name="Cart").click()
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        page.get_by_role("link", name="Checkout").click()
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        assert "hacked" not in page.title()
        assert page.locator("img[src=x]").count() == 0
