from typing import Any

import pytest

from analysis.checks.validation.decimals import other_decimals_check, rounding_check
from analysis.checks.validation.objects import describe
from analysis.checks.validation.run import first_of_each_event
from tests.support.raw_objects import START, Objects


def found(objects: Objects, price_decimals: int) -> list[dict[str, Any]]:
    events = first_of_each_event(describe(objects.bodies.items(), price_decimals))
    return rounding_check(events, price_decimals).findings


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
        assert found(objects, 0) == [
            {**second, "value": "12.5", "events": 1, "decimals": 1},
            {**first, "events": 2, "decimals": 3},
        ]
        assert [item["member"] for item in found(objects, 2)] == ["product.price"]
        assert found(objects, 3) == []

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
        assert [item["decimals"] for item in found(objects, 0)] == ([] if decimals is None else [decimals])

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
