from collections.abc import Callable, Sequence

import polars as pl
import pytest

from analysis.engines.protocol import Engine
from analysis.metrics.carts import carts
from tests.support.event_rows import RANGE, Event, check, event

EngineOf = Callable[[Sequence[Event]], Engine]

SCHEMA = {
    "sessions_with_cart": pl.Int64,
    "sessions_with_purchase": pl.Int64,
    "abandonment": pl.Float64,
    "sessions_with_checkout_start": pl.Int64,
    "checkout_abandonment": pl.Float64,
    "number_carts_created": pl.Int64,
    "number_carts_transacted": pl.Int64,
    "session_cart_abandoned": pl.Int64,
    "session_cart_abandonment": pl.Float64,
}
OURS = list(SCHEMA)[:5]
SNOWPLOWS = list(SCHEMA)[5:]
NAMES = {
    "a": "add_to_cart_click",
    "s": "checkout_start",
    "c": "checkout_complete",
    "v": "product_view",
    "r": "remove_from_cart_click",
}


def of(session: str | None, letters: str) -> list[Event]:
    """A session's events, all of the same moment: their ids decide."""
    return [event(0, NAMES[letter], session=session) for letter in letters]


class TestCarts:
    @pytest.mark.parametrize(
        ("letters", "row"),
        [
            ("vasc", (1, 1, 0.0, 1, 0.0)),
            ("aa", (1, 0, 1.0, 0, None)),
            ("ac", (1, 1, 0.0, 0, None)),
            ("as", (1, 0, 1.0, 1, 1.0)),
            ("acs", (1, 1, 0.0, 1, 1.0)),
            ("ssca", (1, 0, 1.0, 0, None)),
            ("sacs", (1, 1, 0.0, 1, 1.0)),
            ("ascs", (1, 1, 0.0, 1, 0.0)),
            ("sc", (0, 0, None, 0, None)),
        ],
    )
    def test_what_counts_is_after_the_first_add(
        self, engine_of: EngineOf, letters: str, row: tuple[object, ...]
    ) -> None:
        """A purchase ends a checkout only after the first start that follows it."""
        assert carts(engine_of(of("s", letters)), RANGE).select(OURS).rows() == [row]

    @pytest.mark.parametrize(
        ("letters", "row"),
        [
            ("aca", (2, 1, 1, 1.0)),
            ("acac", (2, 2, 0, 0.0)),
            ("aac", (1, 1, 0, 0.0)),
            ("aasa", (1, 0, 1, 1.0)),
            ("ca", (1, 1, 0, 0.0)),
            ("acc", (1, 2, 0, 0.0)),
            ("sc", (0, 0, 0, None)),
            ("ara", (2, 0, 1, 1.0)),
            ("arac", (2, 1, 1, 1.0)),
            ("aarac", (2, 1, 1, 1.0)),
            ("raac", (1, 1, 0, 0.0)),
            ("arra", (2, 0, 1, 1.0)),
            ("acra", (2, 1, 1, 1.0)),
            ("asrsac", (2, 1, 1, 1.0)),
        ],
    )
    def test_carts_are_counted_as_dbt_snowplow_ecommerce_counts_them(
        self, engine_of: EngineOf, letters: str, row: tuple[object, ...]
    ) -> None:
        """An add to an empty cart creates one. A purchase buys one and empties the cart, as the last removal does."""
        assert carts(engine_of(of("s", letters)), RANGE).select(SNOWPLOWS).rows() == [row]

    def test_a_cart_is_empty_if_every_product_in_it_is_removed(self, engine_of: EngineOf) -> None:
        """The removal of one of two products, or of a product that was never added, leaves the cart as it is."""

        def created(*clicks: tuple[str, str | None]) -> int:
            engine = engine_of([event(0, NAMES[letter], session="s", product=product) for letter, product in clicks])
            return int(carts(engine, RANGE)["number_carts_created"].item())

        assert created(("a", "p"), ("a", "q"), ("r", "p"), ("a", "p")) == 1
        assert created(("a", "p"), ("a", "q"), ("r", "p"), ("r", "q"), ("a", "p")) == 2
        assert created(("a", "p"), ("r", "q"), ("a", "p")) == 1
        assert created(("a", "p"), ("r", None), ("s", None), ("a", None), ("r", "p"), ("a", "q")) == 1

    def test_a_session_with_two_carts_and_one_purchase_is_abandoned_by_one_definition(
        self, engine_of: EngineOf
    ) -> None:
        """It has a purchase after its first add, which is enough for ours; dbt-snowplow-ecommerce counts the carts."""
        check(carts(engine_of(of("s", "vascva")), RANGE), SCHEMA, [(1, 1, 0.0, 1, 0.0, 2, 1, 1, 1.0)])

    def test_half_of_the_sessions_are_abandoned_by_one_definition_and_most_by_the_other(
        self, engine_of: EngineOf
    ) -> None:
        """7 of 14 against 11 of 14: four sessions with a purchase have a second cart, which they leave behind."""
        sessions = ["a"] * 7 + ["aca"] * 4 + ["ac"] * 3
        events = [each for number, letters in enumerate(sessions) for each in of(f"s{number}", letters)]
        row = carts(engine_of(events), RANGE).row(0, named=True)
        assert (row["sessions_with_cart"], row["sessions_with_purchase"], row["session_cart_abandoned"]) == (14, 7, 11)
        assert (row["abandonment"], row["session_cart_abandonment"]) == (7 / 14, 11 / 14)

    def test_sessions_are_counted(self, engine_of: EngineOf) -> None:
        """Each by itself; events without one are of none."""
        engine = engine_of([*of("s", "asc"), *of("t", "as"), *of("u", "a"), *of("v", "a"), *of(None, "asc")])
        check(carts(engine, RANGE), SCHEMA, [(4, 1, 0.75, 2, 0.5, 4, 1, 3, 0.75)])

    def test_without_events_there_is_nothing_to_divide_by(self, engine_of: EngineOf) -> None:
        """One row all the same."""
        check(carts(engine_of([]), RANGE), SCHEMA, [(0, 0, None, 0, None, 0, 0, 0, None)])
