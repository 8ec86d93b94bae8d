import re
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contract import EVENT_NAMES
from emulator.shoppers.catalogue import read_catalogue
from emulator.shoppers.visit import Step, visit

SHOP = "http://shop.test"
CATALOGUE = read_catalogue()
PRODUCT = {product.id: product for product in CATALOGUE}
PAGE = re.compile(rf"{SHOP}/(category/[a-z]+|product/[a-z0-9-]+|cart|checkout|order|sign-in|)")

seeds = st.integers(0, 2**32)


def steps_of(seed: int) -> list[Step]:
    return list(visit(Random(seed), CATALOGUE, SHOP, "shopper-1"))  # guards nothing


class TestVisit:
    """The steps of one shopper."""

    def test_all_events_of_the_contract_are_possible(self) -> None:
        """No event name is left out, and no other one is made up."""
        assert {step.name for seed in range(200) for step in steps_of(seed)} == set(EVENT_NAMES)

    def test_some_shoppers_use_two_tabs_in_turns(self) -> None:
        """A second tab is opened from the first one, and both are used from then on."""
        switches = [[step.tab for step in steps_of(seed)] for seed in range(200)]
        assert any((1, 0) in pairwise(tabs) for tabs in switches)
        assert all(set(tabs) <= {0, 1} for tabs in switches)

    @given(seeds)
    def test_same_random_is_same_visit(self, seed: int) -> None:
        """Nothing but the random numbers decides."""
        assert steps_of(seed) == steps_of(seed)

    @given(seeds)
    def test_pages_follow_each_other_by_clicks(self, seed: int) -> None:
        """Every page is one of the shop's, its referrer is the page before, and a click or a form leads there."""
        pages: dict[int, str] = {}
        previous: Step | None = None
        for step in steps_of(seed):
            assert PAGE.fullmatch(step.page_url)
            assert step.referrer != step.page_url
            if previous is not None and pages.get(step.tab) != step.page_url:
                assert step.referrer == pages.get(step.tab, previous.page_url)
                assert previous.name in ("click", "login_success", "checkout_complete")
            pages[step.tab], previous = step.page_url, step

    @given(seeds)
    def test_views_say_what_is_on_the_page(self, seed: int) -> None:
        """A category's view has just its category; all else about a product has the whole product, on its page."""
        for step in steps_of(seed):
            product: Any = step.payload.get("product")
            if step.name == "category_view":
                assert step.page_url == f"{SHOP}/category/{product['category']}"
                assert step.payload == {"product": {"category": product["category"]}}
            elif product is not None:
                assert product == PRODUCT[product["id"]].context
                assert step.page_url in (SHOP + product["urlPath"], f"{SHOP}/cart")

    @given(seeds)
    def test_clicks_describe_their_element(self, seed: int) -> None:
        """As the publisher does: tag, id, role, text and dataset, the latter with texts only."""
        for step in (step for step in steps_of(seed) if step.name == "click"):
            element = step.payload["element"]
            assert list(element) == ["tag", "id", "role", "text", "dataset"]
            assert element["tag"] in ("a", "button")
            assert 0 < len(element["text"]) <= 160
            assert all(isinstance(value, str) for value in element["dataset"].values())

    @given(seeds)
    def test_cart_is_what_was_put_in(self, seed: int) -> None:
        """Every cart and order follows from the additions and removals before it, and its total from its items."""
        quantities: dict[str, int] = {}
        for step in steps_of(seed):
            identifier = step.payload.get("product", {}).get("id")
            if step.name == "add_to_cart_click":
                quantities[identifier] = quantities.get(identifier, 0) + 1
            elif step.name == "remove_from_cart_click":
                del quantities[identifier]
            cart: dict[str, Any] | None = step.payload.get("order") or step.payload.get("cart")
            if cart is not None:
                prices = {key: PRODUCT[key].discount_price or PRODUCT[key].price for key in quantities}
                assert cart["items"] == [
                    {"id": key, "quantity": quantity, "price": prices[key]} for key, quantity in quantities.items()
                ]
                assert cart["total"] == sum(prices[key] * quantity for key, quantity in quantities.items())
                assert cart["currency"] == "VND"

    @given(seeds)
    def test_orders_follow_a_checkout(self, seed: int) -> None:
        """An order has an id and something in it, and its checkout was started."""
        steps = steps_of(seed)
        names = [step.name for step in steps]
        for step in (step for step in steps if step.name == "checkout_complete"):
            assert "checkout_start" in names[: names.index("checkout_complete")]
            assert list(step.payload["order"]) == ["id", "items", "total", "currency"]
            assert step.payload["order"]["items"]

    @given(seeds)
    def test_user_is_known_from_signing_in_to_signing_out(self, seed: int) -> None:
        """Both of these events say who it is; before and after, nobody is signed in."""
        is_in = False
        for step in steps_of(seed):
            is_in |= step.name == "login_success"
            assert step.user_id == ("shopper-1" if is_in else None)
            is_in &= step.name != "logout"

    @given(seeds)
    def test_wishlist_says_what_is_the_case_then(self, seed: int) -> None:
        """The first toggle of a product puts it on the list, the next one takes it off."""
        wishlist: set[str] = set()
        for step in (step for step in steps_of(seed) if step.name == "wishlist_toggle"):
            wishlist ^= {step.payload["product"]["id"]}
            assert step.payload["wishlisted"] is (step.payload["product"]["id"] in wishlist)
