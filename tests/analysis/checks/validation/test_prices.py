from decimal import Decimal
from typing import Any

import pytest

from analysis.checks.validation.prices import other_decimals_check, price_checks, rounding_check
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

    @pytest.mark.parametrize(
        ("price", "discount", "reason"),
        [
            (1000, 20, "the discount price looks like a percentage"),
            ("1000.00", "99.99", None),
            (199, 0.2, "the discount price looks like a percentage"),
            ("12.99", "-0.01", "the discount price is negative"),
            (12.99, 0, "the discount price is 0"),
            (12.99, 11.49, None),
            (12.99, "0.65", None),
            (0.49, 0.4, None),
            (100, 20, None),
            (25000, 150, None),
        ],
    )
    def test_they_are_judged_as_amounts_where_prices_keep_decimals(
        self, price: Any, discount: Any, reason: str | None
    ) -> None:
        """With 2 decimals, 20 is stored as 2000, and is 20 percent all the same; so is 0.2."""
        objects = Objects()
        objects.add(product={"price": price, "discountPrice": discount})
        found = objects.findings(price_checks(objects.judged(2).events, 2), "impossible_prices")
        assert [item["reason"] for item in found] == [reason] * (reason is not None)
        assert [(item["price"], item["discount_price"]) for item in found] == [
            (Decimal(str(price)), Decimal(str(discount)))
        ] * (reason is not None)

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


def rounded(objects: Objects, price_decimals: int) -> list[dict[str, Any]]:
    return rounding_check(objects.judged(price_decimals).events, price_decimals).findings


class TestRoundingCheck:
    def test_a_price_with_more_decimals_than_are_kept_is_named(self) -> None:
        """Once for each member, with the first event and its value, however many events there are."""
        objects = Objects()
        objects.add(product={"price": 12, "discountPrice": "11.00"})
        key = objects.add(product={"price": 12.99})
        objects.add(product={"price": 0.125, "discount_price": None})
        other = objects.add(product={"price": 13, "discount_price": "12.5"})
        first = {"member": "product.price", "first_seen": START.replace(second=2), "key": key, "value": "12.99"}
        second = {"member": "product.discount_price", "first_seen": START.replace(second=4), "key": other}
        assert rounded(objects, 0) == [
            {**second, "value": "12.5", "events": 1, "decimals": 1},
            {**first, "events": 2, "decimals": 3},
        ]
        assert [item["member"] for item in rounded(objects, 2)] == ["product.price"]
        assert rounded(objects, 3) == []

    @pytest.mark.parametrize(
        ("price", "decimals"),
        [
            ("12.99", 2),
            ('" 12.990 "', 2),
            ("1299e-2", 2),
            ("0.000000000000000000000000000000000001", 36),
            ("1e-999999999999999999999999", 7),
            ("1e3", None),
            ("13.0", None),
            ("0.00", None),
            ("-0e-5", None),
            ("1e400", None),
            ('"free"', None),
            ("null", None),
            ("true", None),
        ],
    )
    def test_every_spelling_of_a_number_counts(self, price: str, decimals: int | None) -> None:
        """What is no number, or beyond the column, was not rounded; `lost_values` names it."""
        objects = Objects()
        objects.put(f'{{"product": {{"price": {price}}}}}')
        assert [item["decimals"] for item in rounded(objects, 0)] == ([] if decimals is None else [decimals])

    def test_it_says_how_to_keep_them(self) -> None:
        """To change the setting is to rebuild the warehouse."""
        check = rounding_check(Objects().events, 2)
        assert "the warehouse keeps 2 decimals (PRICE_DECIMALS, at most 6)" in check.advice
        assert "docs/repair.md" in check.advice
        assert check.is_passed


class TestOtherDecimalsCheck:
    def test_an_environment_that_says_something_else_is_named(self) -> None:
        """Nobody could write with it."""
        check = other_decimals_check(2, 0)
        assert check.observed == "the warehouse's prices keep 2 decimals, and PRICE_DECIMALS is 0 here"
        assert check.findings == [{"warehouse": 2, "environment": 0}]
        assert not check.is_passed

    def test_the_same_or_none_is_fine(self) -> None:
        """Whoever only reads need not set it."""
        assert other_decimals_check(2, None).is_passed
