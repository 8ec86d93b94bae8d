from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from analysis.engines.protocol import Engine
from analysis.engines.raw import RawEvents
from analysis.errors import AnalysisError
from analysis.metrics.overview import (
    by_login_state,
    events_over_time,
    latest_product_events,
    overview,
    top_brands,
    top_categories,
    top_events,
    visitor_types,
)
from analysis.metrics.range import Range
from tests.support.event_rows import MONDAY, RANGE, Event, at, check, event, frame_of, raw_of

EngineOf = Callable[[Sequence[Event]], Engine]

TIME = pl.Datetime("us", "UTC")
OVERVIEW = {
    "events": pl.Int64,
    "visitors": pl.Int64,
    "clients": pl.Int64,
    "users": pl.Int64,
    "sessions": pl.Int64,
    "add_to_cart_clicks": pl.Int64,
    "checkout_completes": pl.Int64,
    "checkout_rate": pl.Float64,
    "visitor_conversion": pl.Float64,
    "session_conversion": pl.Float64,
    "first_event": TIME,
    "last_event": TIME,
}
KINDS = {
    name: dtype for name, dtype in OVERVIEW.items() if name not in ("clients", "users", "first_event", "last_event")
}


class TestOverview:
    def test_it_counts_what_is_distinct(self, engine_of: EngineOf) -> None:
        """A client and a user with the same id are two visitors; an event without both has no visitor."""
        engine = engine_of(
            [
                event(0, client="a", user="u", session="s"),
                event(0.000001, "add_to_cart_click", client="a", session="t"),
                event(1, "add_to_cart_click", user="a", session="t"),
                event(2, "checkout_complete", user="u"),
                event(3.5),
            ]
        )
        check(overview(engine, RANGE), OVERVIEW, [(5, 3, 1, 2, 2, 2, 1, 0.5, 1 / 3, 0.0, at(0), at(3.5))])

    def test_without_events_there_are_zeros_and_nulls(self, engine_of: EngineOf) -> None:
        """One row all the same."""
        check(overview(engine_of([]), RANGE), OVERVIEW, [(0, 0, 0, 0, 0, 0, 0, *[None] * 5)])

    def test_the_end_of_the_range_is_excluded(self, engine_of: EngineOf) -> None:
        """The start is not."""
        engine = engine_of([event(-0.000001), event(0), event(59.999999), event(60)])
        frame = overview(engine, Range(MONDAY, at(60)))
        assert frame.select("events", "first_event", "last_event").row(0) == (2, at(0), at(59.999999))

    @pytest.mark.parametrize(("state", "events"), [(None, 3), ("logged_in", 1), ("anonymous", 1)])
    def test_only_events_of_the_login_state_count(self, engine_of: EngineOf, state: None, events: int) -> None:
        """All of them where none is chosen."""
        engine = engine_of([event(0, login="logged_in"), event(1, login="anonymous"), event(2)])
        assert overview(engine, Range(RANGE.start, RANGE.end, state))["events"].to_list() == [events]


class TestEventsOverTime:
    SCHEMA = {"period": TIME, "events": pl.Int64, "visitors": pl.Int64, "sessions": pl.Int64}  # noqa: RUF012

    def test_hours_begin_on_the_hour(self, engine_of: EngineOf) -> None:
        """Hours and days without events have no row."""
        engine = engine_of(
            [event(3599.999999, client="a", session="s"), event(3600, client="a"), event(3601, user="a"), event(10800)]
        )
        rows = [(at(0), 1, 1, 1), (at(3600), 2, 2, 0), (at(10800), 1, 0, 0)]
        check(events_over_time(engine, RANGE, "hour"), self.SCHEMA, rows)

    def test_days_are_of_utc(self, engine_of: EngineOf) -> None:
        """Midnight belongs to the day that begins."""
        engine = engine_of([event(86399), event(86400), event(86401)])
        check(events_over_time(engine, RANGE), self.SCHEMA, [(at(0), 1, 0, 0), (at(86400), 2, 0, 0)])

    def test_weeks_and_months_begin_with_their_first_day(self, engine_of: EngineOf) -> None:
        """By the zone's clocks, also where those have changed since."""
        berlin = Range(at(-86400 * 40), at(86400 * 40), zone="Europe/Berlin")
        engine = engine_of([event(-8 * 86400 + 3600), event(-1), event(0), event(86400 * 29)])
        summer, winter = timedelta(hours=2), timedelta(hours=1)
        monday, october = datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
        weeks = [(monday - summer, 1, 0, 0), (at(0) - winter, 2, 0, 0), (at(86400 * 28) - winter, 1, 0, 0)]
        check(events_over_time(engine, berlin, "week"), self.SCHEMA, weeks)
        months = [(october - summer, 1, 0, 0), (at(-86400) - winter, 2, 0, 0), (at(86400 * 29) - winter, 1, 0, 0)]
        check(events_over_time(engine, berlin, "month"), self.SCHEMA, months)

    def test_minutes(self, engine_of: EngineOf) -> None:
        """Only minutes with events."""
        engine = engine_of([event(0), event(59.9), event(180)])
        check(events_over_time(engine, RANGE, "minute"), self.SCHEMA, [(at(0), 2, 0, 0), (at(180), 1, 0, 0)])

    def test_another_grain_is_an_error(self) -> None:
        """Which says what there is."""
        with pytest.raises(AnalysisError, match="grain must be one of minute, hour, day, week, month, not 'year'"):
            events_over_time(raw_of([]), RANGE, "year")  # type: ignore[arg-type]

    def test_without_events_there_are_no_rows(self, engine_of: EngineOf) -> None:
        """Of the same columns and types."""
        check(events_over_time(engine_of([]), RANGE), self.SCHEMA, [])


class TestTopEvents:
    def test_ties_are_in_the_order_of_code_points(self, engine_of: EngineOf) -> None:
        """Capitals first, accents last, whatever a language thinks."""
        engine = engine_of([event(0, name) for name in ("b", "Z", "é", "a", "click", "click", "a b", "a_b")])
        rows = [("click", 2, 0.25), *((name, 1, 0.125) for name in ("Z", "a", "a b", "a_b", "b", "é"))]
        check(top_events(engine, RANGE), {"event_name": pl.String, "events": pl.Int64, "share": pl.Float64}, rows)


class TestKinds:
    def test_login_states(self, engine_of: EngineOf) -> None:
        """An event without one is of `unknown`; a rate without adds is null."""
        engine = engine_of(
            [
                event(0, "add_to_cart_click", client="a", session="s", login="logged_in"),
                event(1, "checkout_complete", client="a", session="s", login="logged_in"),
                event(2, "checkout_complete", client="b", login="anonymous"),
                event(3),
            ]
        )
        rows = [
            ("anonymous", 1, 1, 0, 0, 1, None, 1.0, None),
            ("logged_in", 2, 1, 1, 1, 1, 1.0, 1.0, 1.0),
            ("unknown", 1, 0, 0, 0, 0, None, None, None),
        ]
        check(by_login_state(engine, RANGE), {"user_login_state": pl.String, **KINDS}, rows)

    def test_conversion_has_a_meaning_where_the_checkout_rate_has_none(self, engine_of: EngineOf) -> None:
        """30 of 40 visitors add as anonymous and buy as logged in: 30 checkouts ÷ 0 adds, but 30 ÷ 30 visitors."""
        engine = engine_of(
            [
                *(event(0, client=f"c{n}", session=f"s{n}", login="anonymous") for n in range(40)),
                *(event(1, "add_to_cart_click", client=f"c{n}", login="anonymous") for n in range(30)),
                *(event(2, "checkout_complete", client=f"c{n}", session=f"s{n}", login="logged_in") for n in range(30)),
                *(event(3, "home_view", client=f"c{n}", session=f"t{n}", login="logged_in") for n in range(30)),
            ]
        )
        rows = [
            ("anonymous", 70, 40, 40, 30, 0, 0.0, 0.0, 0.0),
            ("logged_in", 60, 30, 60, 0, 30, None, 1.0, 0.5),
        ]
        check(by_login_state(engine, RANGE), {"user_login_state": pl.String, **KINDS}, rows)
        assert overview(engine, RANGE).select("visitor_conversion", "session_conversion").row(0) == (0.75, 30 / 70)

    def test_who_buys_twice_converts_once(self, engine_of: EngineOf) -> None:
        """Conversion counts visitors and sessions; the checkout rate counts events."""
        engine = engine_of(
            [
                event(0, "add_to_cart_click", client="a", session="s"),
                *(event(1, "checkout_complete", client="a", session="s") for _ in range(2)),
                event(2, client="b", session="t"),
            ]
        )
        rates = overview(engine, RANGE).select("checkout_rate", "visitor_conversion", "session_conversion")
        assert rates.row(0) == (2.0, 0.5, 0.5)

    def test_visitor_types(self, engine_of: EngineOf) -> None:
        """As `is_first_visit` says."""
        engine = engine_of([event(0, first=False), event(1, "add_to_cart_click", client="a", first=True), event(2)])
        rows = [
            ("new", 1, 1, 0, 1, 0, 0.0, 0.0, None),
            ("returning", 1, 0, 0, 0, 0, None, None, None),
            ("unknown", 1, 0, 0, 0, 0, None, None, None),
        ]
        check(visitor_types(engine, RANGE), {"visitor_type": pl.String, **KINDS}, rows)


class TestTopContexts:
    @pytest.mark.parametrize(("metric", "name"), [(top_categories, "category"), (top_brands, "brand")])
    def test_events_with_it_are_counted(
        self, engine_of: EngineOf, metric: Callable[..., pl.DataFrame], name: str
    ) -> None:
        """Any number of rows, or so many; events without one count for none, or as `unknown`."""
        values = [
            ("product_view", "x"),
            ("click", "x"),
            ("add_to_cart_click", "y"),
            ("product_view", "Y"),
            ("click", None),
        ]
        engine = engine_of([event(0, event_name) | {f"context_product_{name}": value} for event_name, value in values])
        rows = [("x", 2, 1, 0), ("Y", 1, 1, 0), ("y", 1, 0, 1)]
        schema = {name: pl.String, "events": pl.Int64, "product_views": pl.Int64, "add_to_cart_clicks": pl.Int64}
        check(metric(engine, RANGE), schema, rows)
        check(metric(engine, RANGE, limit=2), schema, rows[:2])
        check(metric(engine, RANGE, limit=0), schema, [])
        check(metric(engine, RANGE, unknown=True), schema, [rows[0], rows[1], ("unknown", 1, 0, 0), rows[2]])

    def test_a_negative_limit_is_an_error(self) -> None:
        """Before the engine is asked."""
        with pytest.raises(AnalysisError, match="number of rows, 0 or more, not -1"):
            top_brands(raw_of([]), RANGE, limit=-1)


class TestLatestProductEvents:
    def test_the_latest_come_first(self, engine_of: EngineOf) -> None:
        """Of the same moment, the one with the highest id."""
        context = {"product_name": "P", "category": "c", "brand": "b", "price": 2**63 - 1, "discount": -1}
        engine = engine_of(
            [
                event(0, product="p"),
                event(2),
                event(1, "click", 0xF << 124, product="p", **context),
                event(1, product="q"),
            ]
        )
        none = (None,) * 5
        rows = [
            (at(1), "f0000000-0000-0000-0000-000000000000", "click", "p", "P", "c", "b", 2**63 - 1, -1),
            (at(1), "00000000-0000-0000-0000-000000000004", "page_view", "q", *none),
            (at(0), "00000000-0000-0000-0000-000000000001", "page_view", "p", *none),
        ]
        text = ("event_id", "event_name", "product_id", "product_name", "category", "brand")
        schema = (
            {"event_timestamp": TIME} | dict.fromkeys(text, pl.String) | {"price": pl.Int64, "discount_price": pl.Int64}
        )
        check(latest_product_events(engine, RANGE), schema, rows)
        check(latest_product_events(engine, RANGE, limit=1), schema, rows[:1])

    @pytest.mark.parametrize("price_decimals", range(1, 7))
    def test_stored_prices_are_shown_as_amounts(self, price_decimals: int) -> None:
        """1299 with 2 decimals is 12.99, to the last digit that 64 bits hold; null stays null."""
        stored = (1299, -5, 2**63 - 1, -(2**63), 0, None)
        events = [event(place, product="p", price=price) for place, price in enumerate(stored)]
        raw = RawEvents(frame_of(events), price_decimals=price_decimals)
        frame = latest_product_events(raw, RANGE).reverse()
        expected = [None if price is None else Decimal(price).scaleb(-price_decimals) for price in stored]
        assert frame["price"].to_list() == expected
        assert frame.schema["price"] == frame.schema["discount_price"] == pl.Decimal(38, price_decimals)

    def test_decimals_that_are_none_are_an_error(self) -> None:
        """As in the setting."""
        with pytest.raises(AnalysisError, match="price_decimals must be a whole number from 0 to 6, not 7"):
            RawEvents(frame_of([]), price_decimals=7)


class TestRange:
    @pytest.mark.parametrize(
        ("start", "end", "state", "problem"),
        [
            (MONDAY.replace(tzinfo=None), MONDAY, None, "times with a time zone"),
            (MONDAY, MONDAY - timedelta(microseconds=1), None, "before it starts"),
            (MONDAY, MONDAY, "LOGGED_IN", "one of logged_in, anonymous"),
        ],
    )
    def test_what_makes_no_range_is_an_error(self, start: object, end: object, state: object, problem: str) -> None:
        """In one line that says why."""
        with pytest.raises(AnalysisError, match=problem):
            Range(start, end, state)  # type: ignore[arg-type]
