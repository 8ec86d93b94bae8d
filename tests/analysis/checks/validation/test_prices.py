from typing import Any

import pytest

from analysis.checks.validation.prices import price_checks
from tests.support.raw_objects import START, Objects


def found(objects: Objects, name: str) -> list[dict[str, object]]:
    return objects.findings(price_checks(objects.events), name)


class TestPriceChecks:
    def test_discounts_above_price(self) -> None:
        """An equal price is not above the price."""
        objects = Objects()
        objects.add(product={"price": 10, "discountPrice": 10})
        key = objects.add(product={"price": 10, "discountPrice": 11})
        assert found(objects, "discounts_above_price") == [{"key": key, "price": 10, "discount_price": 11}]

    @pytest.mark.parametrize(
        ("price", "discount", "reason"),
        [
            (10, "-5", "the discount price is negative"),
            (10, -5, "the discount price is negative"),
            (-10, None, "the price is negative"),
            (10, 0, "the discount price is 0"),
            (0, 0, None),
            (1290000, 20, "the discount price looks like a percentage"),
            (1290000, 99000, None),
            (100, 20, None),
            (12, 1, None),
            (10, None, None),
            (None, 20, None),
        ],
    )
    def test_prices_that_can_be_no_amount(self, price: Any, discount: Any, reason: str | None) -> None:
        """Negative ones, and discount prices that are 0 or a percentage."""
        objects = Objects()
        objects.add(product={"price": price, "discountPrice": discount})
        assert [item["reason"] for item in found(objects, "impossible_prices")] == [reason] * (reason is not None)

    def test_a_sender_of_percentages(self) -> None:
        """Is one finding, with its first event."""
        objects = Objects()
        for discount in (20, 15, 50):
            objects.add(product={"price": 1290000, "discountPrice": discount}, publisher={"name": "acme"})
        (finding,) = found(objects, "impossible_prices")
        assert finding == {
            "publisher": "acme",
            "event_name": "page_view",
            "reason": "the discount price looks like a percentage",
            "first_seen": START.replace(second=1),
            "key": next(iter(objects.bodies)),
            "events": 3,
            "price": 1290000,
            "discount_price": 20,
        }
