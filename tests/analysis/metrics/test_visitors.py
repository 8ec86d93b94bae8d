from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from analysis import AnalysisError, Engine
from analysis.metrics.visitors import latest_events, visitor_events, visitors
from tests.support.event_rows import RANGE, Event, at, check, event, raw_of

EngineOf = Callable[[Sequence[Event]], Engine]

TIME = pl.Datetime("us", "UTC")
VISITORS = {
    "visitor_kind": pl.String,
    "visitor": pl.String,
    "first_event": TIME,
    "last_event": TIME,
    "events": pl.Int64,
    "sessions": pl.Int64,
    "checkout_completes": pl.Int64,
}
WITH_ORDERS = {**VISITORS, "orders": pl.Int64, "currency": pl.String, "revenue": pl.Decimal(38, 18)}


def ids(frame: pl.DataFrame) -> list[int]:
    """The last digits of the ids of events."""
    return [int(event_id[-4:], 16) for event_id in frame["event_id"]]


class TestVisitors:
    HISTORY = (
        event(0, client="a", session="s"),
        event(5, "checkout_complete", client="a", user="x", session="t"),
        event(5, user="a"),
        event(5, client="b"),
        event(9, client="c"),
        event(10),
    )
    ROWS = (
        ("client", "c", at(9), at(9), 1, 0, 0),
        ("client", "a", at(0), at(5), 2, 2, 1),
        ("client", "b", at(5), at(5), 1, 0, 0),
        ("user", "a", at(5), at(5), 1, 0, 0),
    )

    def test_the_latest_first(self, engine_of: EngineOf) -> None:
        """Of the same moment clients before users; a client and a user of the same text are two."""
        check(visitors(engine_of(self.HISTORY), RANGE), VISITORS, self.ROWS)

    def test_pages_follow_each_other(self, engine_of: EngineOf) -> None:
        """Each visitor is on one page, also if all came in one moment."""
        engine = engine_of(self.HISTORY)
        found: list[tuple[Any, ...]] = []
        place = None
        for _ in range(5):
            page = visitors(engine, RANGE, limit=1, after=place)
            found += page.rows()
            if not page.is_empty():
                place = page.select("last_event", "visitor_kind", "visitor").row(0)
        assert found == [*self.ROWS]

    def test_orders(self) -> None:
        """Different currencies are never added, and an order counts once."""
        orders = ('{"id": 1, "total": 2, "currency": "EUR"}', '{"id": 2, "total": "0.5", "currency": "EUR"}')
        raw = raw_of(
            [
                *(event(place, "checkout_complete", client="a", order=order) for place, order in enumerate(orders)),
                event(2, "checkout_complete", client="a", order=orders[0]),
                event(3, "checkout_complete", client="b", order='{"id": 3, "total": 2, "currency": "EUR"}'),
                event(3, "checkout_complete", client="b", order='{"id": 4, "total": 2}'),
                event(4, client="c"),
            ]
        )
        rows = [
            ("client", "c", at(4), at(4), 1, 0, 0, 0, None, None),
            ("client", "b", at(3), at(3), 2, 0, 2, 2, None, None),
            ("client", "a", at(0), at(2), 3, 0, 3, 2, "EUR", Decimal("2.5")),
        ]
        check(visitors(raw, RANGE, orders=True), WITH_ORDERS, rows)
        last = (at(3), "client", "b")
        check(visitors(raw, RANGE, after=last, orders=True), WITH_ORDERS, rows[2:])

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ({"limit": -1}, "limit must be a number of rows"),
            ({"after": (datetime(2026, 11, 2), "client", "a")}, "after needs a time with a time zone"),  # noqa: DTZ001  # on purpose
            ({"after": (at(0), "person", "a")}, "kind must be one of client, user, not 'person'"),
        ],
    )
    def test_a_wrong_argument_is_an_error(self, arguments: dict[str, Any], problem: str) -> None:
        """Before the engine is asked."""
        with pytest.raises(AnalysisError, match=problem):
            visitors(raw_of([]), RANGE, **arguments)


class TestLatestEvents:
    def test_every_event_and_what_it_says(self, engine_of: EngineOf) -> None:
        """The latest first, of the same moment the highest id; events without a visitor or a product, too."""
        more: dict[str, Any] = {
            "client": "a",
            "user": "u",
            "session": "s",
            "login": "logged_in",
            "product": "p",
            "product_name": "P",
        }
        engine = engine_of(
            [
                event(0, "x"),
                event(1, "product_view", category="c", brand="b", price=5, discount=4, **more),
                event(1, "y"),
            ]
        )
        frame = latest_events(engine, RANGE)
        assert ids(frame) == [3, 2, 1]
        told = ("product_view", "a", "u", "logged_in", "s", "p", "P", "c", "b", 5, 4)
        assert frame.row(1)[2:] == told
        assert frame.columns == [
            *("event_timestamp", "event_id", "event_name", "client_id", "user_id", "user_login_state", "session_id"),
            *("product_id", "product_name", "category", "brand", "price", "discount_price"),
        ]

    def test_pages_follow_each_other(self, engine_of: EngineOf) -> None:
        """Each event is on one page, also if many came in one moment, and whatever comes in the meantime."""
        engine = engine_of([event(place // 5) for place in range(12)])
        found: list[int] = []
        place = None
        while not (page := latest_events(engine, RANGE, limit=2, before=place)).is_empty():
            found += ids(page)
            place = page.select("event_timestamp", "event_id").row(-1)
        assert found == [*range(12, 0, -1)]

    def test_derived_columns(self) -> None:
        """Of an engine that has them."""
        raw = raw_of([event(0, page="https://shop.example/search?q=lamp", time_zone="Asia/Saigon")], derived=True)
        assert latest_events(raw, RANGE, derived=True).row(0)[13:] == ("/search", "lamp", "Direct", None, None, "VN")


class TestVisitorEvents:
    HISTORY = (
        event(1, "b", client="a"),
        event(0, "a", client="a"),
        event(1, "c", client="a"),
        event(2, user="a"),
        event(2, client="b", user="a"),
    )

    def test_in_order(self, engine_of: EngineOf) -> None:
        """Of the client, or of the user of the same text who has no client."""
        engine = engine_of(self.HISTORY)
        assert ids(visitor_events(engine, RANGE, "a")) == [2, 1, 3]
        assert ids(visitor_events(engine, RANGE, "a", "user")) == [4]
        assert visitor_events(engine, RANGE, "nobody").is_empty()

    def test_pages_follow_each_other(self, engine_of: EngineOf) -> None:
        """From the place at which the page before ends."""
        engine = engine_of(self.HISTORY)
        first = visitor_events(engine, RANGE, "a", limit=2)
        place = first.select("event_timestamp", "event_id").row(-1)
        assert ids(visitor_events(engine, RANGE, "a", after=place)) == [3]

    def test_another_kind_is_an_error(self) -> None:
        """Which says what there is."""
        with pytest.raises(AnalysisError, match="kind must be one of client, user"):
            visitor_events(raw_of([]), RANGE, "a", "person")  # type: ignore[arg-type]
