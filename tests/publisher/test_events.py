"""The domain's events: their names, and the context that is built for them."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from chalicelib.contract import EVENT_NAMES
from tests.support.collector import Collector
from tests.support.shop import PublisherTest, Shop, open_page

PRODUCT = {
    "id": "SKU-1",
    "name": "Áo khoác",
    "category": "jackets",
    "brand": "Nike",
    "price": 1_990_000,
    "discountPrice": 1_790_000.5,
    "urlPath": "/p/1",
}
CART = {"items": [{"id": "SKU-1", "quantity": 2, "price": 1_790_000.5}], "total": 3_580_001, "currency": "VND"}
USER = {"userId": "u1", "identitySource": "cognito"}


def call(function: str, *given: object) -> str:
    """The JavaScript of a call."""
    return f"{function}({', '.join(map(json.dumps, given))})"


class TestDomainEvents(PublisherTest):
    @pytest.mark.parametrize(
        ("script", "name", "context"),
        [
            (call("trackHomeView"), "home_view", {}),
            (call("trackCategoryView", "jackets"), "category_view", {"product": {"category": "jackets"}}),
            (call("trackProductView", PRODUCT), "product_view", {"product": PRODUCT}),
            (call("trackAddToCart", PRODUCT, CART), "add_to_cart_click", {"product": PRODUCT, "cart": CART}),
            (call("trackRemoveFromCart", PRODUCT, CART), "remove_from_cart_click", {"product": PRODUCT, "cart": CART}),
            (call("trackWishlistToggle", PRODUCT, True), "wishlist_toggle", {"product": PRODUCT, "wishlisted": True}),  # noqa: FBT003
            (call("trackShareClick", PRODUCT, "zalo"), "share_click", {"product": PRODUCT, "channel": "zalo"}),
            (call("trackLoginOpen"), "login_open", {}),
            (call("trackLoginSuccess", USER), "login_success", {}),
            (call("trackLogout"), "logout", {}),
            (call("trackCheckoutStart", CART), "checkout_start", {"cart": CART}),
            (call("trackCheckoutComplete", {"id": "o1", **CART}), "checkout_complete", {"order": {"id": "o1", **CART}}),
            (call("trackCustom", "search", {"query": "shoes"}), "search", {"query": "shoes"}),
        ],
    )
    def test_each_carries_its_context(
        self, collector: Collector, shop: Shop, page: Page, script: str, name: str, context: dict[str, Any]
    ) -> None:
        """Under the contract's name, and nothing besides the base event."""
        open_page(page, f"{shop.url}/")
        [view] = collector.wait_for("page_view")
        page.evaluate(script)
        [event] = collector.wait_for(name)
        assert {key: value for key, value in event.items() if key not in view} == context
        assert name in (*EVENT_NAMES, "search")

    @pytest.mark.parametrize(
        ("given", "brand"),
        [
            ({"brandName": "A", "brand": {"name": "B"}}, "A"),
            ({"brand": {"name": "B", "title": "C"}}, "B"),
            ({"brand": {"title": "C"}}, "C"),
            ({"brand": "D"}, "D"),
            ({"brand": None}, None),
        ],
    )
    def test_the_brand_is_found(
        self, collector: Collector, shop: Shop, page: Page, given: dict[str, Any], brand: str | None
    ) -> None:
        """Wherever a shop's product keeps it; first of brandName, brand.name, brand.title, brand."""
        open_page(page, f"{shop.url}/")
        page.evaluate(call("trackProductView", {"id": 1, **given, "stock": 5}))
        [event] = collector.wait_for("product_view")
        assert event["product"].get("brand") == brand
        assert "stock" not in event["product"]

    def test_a_cart_is_summed_up(self, collector: Collector, shop: Shop, page: Page) -> None:
        """From what is paid: the discount price where there is one."""
        cart = {
            "items": [{**PRODUCT, "quantity": 3}, {"id": 2, "price": 0.1}, {"id": 3, "price": 0.2}],
            "currency": "VND",
        }
        open_page(page, f"{shop.url}/")
        page.evaluate(call("trackCheckoutStart", cart))
        [event] = collector.wait_for("checkout_start")
        assert event["cart"] == {
            "items": [
                {"id": "SKU-1", "quantity": 3, "price": 1_790_000.5},
                {"id": 2, "quantity": 1, "price": 0.1},
                {"id": 3, "quantity": 1, "price": 0.2},
            ],
            "total": 5_370_001.8,
            "currency": "VND",
        }

    def test_signing_in_and_out_sets_the_user(self, collector: Collector, shop: Shop, page: Page) -> None:
        """From the sign-in on, up to and including the sign-out."""
        open_page(page, f"{shop.url}/")
        page.evaluate(call("trackLoginOpen"))
        page.evaluate(call("trackLoginSuccess", USER))
        page.evaluate(call("trackLogout"))
        page.evaluate(call("trackHomeView"))
        users = [collector.wait_for(n)[0]["userId"] for n in ("login_open", "login_success", "logout", "home_view")]
        assert users == [None, "u1", "u1", None]
