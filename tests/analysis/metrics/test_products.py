from collections.abc import Callable, Sequence

import polars as pl
import pytest

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.products import discount_effect, products
from tests.support.event_rows import RANGE, Event, check, event, raw_of

EngineOf = Callable[[Sequence[Event]], Engine]

TEXTS = ("product_id", "product_name", "category", "brand")
COUNTS = ("views", "adds", "removes", "wishlists", "view_sessions", "purchase_sessions")
PRODUCTS = (
    dict.fromkeys(TEXTS, pl.String)
    | dict.fromkeys(COUNTS, pl.Int64)
    | {"add_rate": pl.Float64, "conversion": pl.Float64}
)
DISCOUNTS = {"is_discounted": pl.Boolean, "views": pl.Int64, "adds": pl.Int64, "add_rate": pl.Float64}


class TestProducts:
    def test_each_context_is_of_the_latest_event_that_has_one(self, engine_of: EngineOf) -> None:
        """By id, where the moment is the same."""
        engine = engine_of(
            [
                event(5, "click", 1, product="p", product_name="new", category="x"),
                event(5, "click", 2, product="p", product_name="newer"),
                event(0, "click", 3, product="p", product_name="old", category="y", brand="b"),
            ]
        )
        rows = [("p", "newer", "x", "b", 0, 0, 0, 0, 0, 0, None, None)]
        check(products(engine, RANGE), PRODUCTS, rows)

    def test_what_happens_to_a_product(self, engine_of: EngineOf) -> None:
        """Views first; events without session count for no session."""
        engine = engine_of(
            [
                *(event(place, "product_view", product="p", session="s") for place in range(2)),
                *(event(place, "product_view", product="p") for place in range(2)),
                event(2, "add_to_cart_click", product="p", session="s"),
                event(3, "remove_from_cart_click", product="p", session="s"),
                event(3, "wishlist_toggle", product="Q", session="s"),
                event(3, "share_click", product="é", session="s"),
                event(4, "checkout_complete", session="s"),
                event(5, "add_to_cart_click", product="a", session="s"),
            ]
        )
        none = (None,) * 3
        rows = [
            ("p", *none, 4, 1, 1, 0, 1, 1, 0.25, 1.0),
            ("Q", *none, 0, 0, 0, 1, 0, 0, None, None),
            ("a", *none, 0, 1, 0, 0, 0, 0, None, None),
            ("é", *none, 0, 0, 0, 0, 0, 0, None, None),
        ]
        check(products(engine, RANGE), PRODUCTS, rows)
        check(products(engine, RANGE, limit=1), PRODUCTS, rows[:1])

    def test_a_purchase_comes_after_the_click(self, engine_of: EngineOf) -> None:
        """In the same session; of the same moment, by id. A session counts once."""
        engine = engine_of(
            [
                *(event(0, "product_view", product="p", session=session) for session in ("s", "t", "u")),
                event(1, "checkout_complete", session="s"),
                event(1, "add_to_cart_click", product="p", session="s"),
                event(1, "add_to_cart_click", product="p", session="t"),
                event(1, "checkout_complete", session="t"),
                event(2, "add_to_cart_click", product="p", session="t"),
                event(3, "checkout_complete", session="t"),
                event(1, "add_to_cart_click", product="p", session="u"),
                event(9, "checkout_complete"),
            ]
        )
        frame = products(engine, RANGE)
        assert frame.select("view_sessions", "purchase_sessions", "conversion").rows() == [(3, 1, 1 / 3)]

    def test_without_products_there_are_no_rows(self, engine_of: EngineOf) -> None:
        """Of the same columns and types."""
        check(products(engine_of([event(0, "product_view")]), RANGE), PRODUCTS, [])

    def test_a_negative_limit_is_an_error(self) -> None:
        """Before the engine is asked."""
        with pytest.raises(AnalysisError, match="not -5"):
            products(raw_of([]), RANGE, limit=-5)


class TestDiscountEffect:
    def test_a_discount_is_below_the_price(self, engine_of: EngineOf) -> None:
        """It is not equal, above or missing; products without a price do not count."""
        prices = [(10, 9), (10, 10), (10, 11), (10, None), (None, 5)]
        engine = engine_of(
            [
                *(event(0, "product_view", price=price, discount=discount) for price, discount in prices),
                event(0, "add_to_cart_click", price=0, discount=-1),
                event(0, "click", price=10, discount=9),
            ]
        )
        check(discount_effect(engine, RANGE), DISCOUNTS, [(False, 3, 0, 0.0), (True, 1, 1, 1.0)])

    def test_without_views_there_is_no_rate(self, engine_of: EngineOf) -> None:
        """And what does not occur has no row."""
        check(
            discount_effect(engine_of([event(0, "add_to_cart_click", price=1)]), RANGE),
            DISCOUNTS,
            [(False, 0, 1, None)],
        )
        check(discount_effect(engine_of([]), RANGE), DISCOUNTS, [])
