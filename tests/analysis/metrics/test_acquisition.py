from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from analysis import AnalysisError, Engine, RawEvents, funnel, latest_events, path_links
from analysis.lake.derived import with_derived
from analysis.metrics.acquisition import SessionColumn, revenue_by, search_terms, sessions_by, top_pages
from tests.support.event_rows import RANGE, Event, check, event, frame_of, raw_of, warehouse_of

HOME = "https://shop.example/"
MAIL = f"{HOME}?utm_source=news&utm_medium=email&utm_campaign=Tet"
LAMP = f"{HOME}product/lamp"
PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"
)
GROUPS = {
    "group": pl.String,
    "sessions": pl.Int64,
    "visitors": pl.Int64,
    "buyers": pl.Int64,
    "session_conversion": pl.Float64,
    "visitor_conversion": pl.Float64,
}
REVENUE = {
    "currency": pl.String,
    "group": pl.String,
    "orders": pl.Int64,
    "revenue": pl.Decimal(38, 18),
    "average_order_value": pl.Float64,
}


def seen(seconds: float, page: str | None, name: str = "page_view", session: str | None = "s", **more: Any) -> Event:
    """An event at a page, of client `ann` in session `s` unless it says otherwise."""
    return event(seconds, name, page=page, session=session, **{"client": "ann", **more})


def derived(*events: Event) -> RawEvents:
    return raw_of(events, derived=True)


def group(by: SessionColumn, *events: Event) -> str:
    """The group of the one session of these events."""
    (found,) = sessions_by(derived(*events), RANGE, by)["group"]
    return str(found)


# Ann comes from the newsletter and buys; Ben, from a search on a phone, does not, and comes back directly.
SHOP = [
    seen(0, MAIL),
    seen(1, LAMP, "product_view", referrer=HOME),
    seen(2, f"{HOME}order", "checkout_complete", referrer=LAMP, order='{"id": 1, "total": "12.5", "currency": "EUR"}'),
    seen(
        10, LAMP, session="b1", client="ben", referrer="https://www.google.com/", agent=PHONE, time_zone="Asia/Saigon"
    ),
    seen(9000, HOME, session="b2", client="ben", agent=PHONE, time_zone="Asia/Saigon"),
]


class TestSessionsBy:
    def test_the_acquisition_is_the_first_event_with_a_channel(self) -> None:
        """Its campaign and its referrer count, also if a later event has others."""
        events = [seen(0, LAMP, referrer=HOME), seen(1, MAIL, referrer="https://blog.example/a"), seen(2, HOME)]
        found = [group(by, *events) for by in ("channel", "source", "medium", "campaign", "referrer")]
        assert found == ["Email", "news", "email", "Tet", "blog.example"]

    def test_a_session_without_one_is_direct(self) -> None:
        """As one is that goes on after half an hour: its referrer is the shop itself, and not an acquisition."""
        events = [seen(0, LAMP, referrer=HOME), seen(1, None, referrer="https://blog.example/a")]
        found = [group(by, *events) for by in ("channel", "source", "medium", "campaign", "referrer")]
        assert found == ["Direct", "(not set)", "(not set)", "(not set)", "(direct)"]

    def test_landing_and_exit_pages_are_the_first_and_the_last(self) -> None:
        """Of the events that have a page, clicks among them."""
        events = [seen(0, None), seen(1, f"{LAMP}?q=1#x"), seen(2, HOME), seen(3, LAMP, "click"), seen(4, None)]
        assert [group(by, *events) for by in ("landing_page", "exit_page")] == ["/product/lamp", "/product/lamp"]
        assert [group(by, *events[:3]) for by in ("landing_page", "exit_page")] == ["/product/lamp", "/"]
        assert [group(by, events[0]) for by in ("landing_page", "exit_page")] == ["unknown", "unknown"]

    def test_device_browser_system_and_country(self) -> None:
        """Of the first event that says it; `unknown` if none does."""
        events = [seen(0, HOME), seen(1, HOME, agent=PHONE, time_zone="Asia/Saigon")]
        columns: tuple[SessionColumn, ...] = ("device", "browser", "system", "country")
        assert [group(by, *events) for by in columns] == ["mobile", "Chrome Mobile", "Android", "VN"]
        assert [group(by, events[0]) for by in columns] == ["unknown"] * 4

    def test_figures(self) -> None:
        """A visitor of several groups counts in each; an event without a session in none."""
        raw = derived(*SHOP, seen(5, HOME, session=None, client="eve"))
        rows = [
            ("Direct", 1, 1, 0, 0.0, 0.0),
            ("Email", 1, 1, 1, 1.0, 1.0),
            ("Organic Search", 1, 1, 0, 0.0, 0.0),
        ]
        check(sessions_by(raw, RANGE), GROUPS, rows)
        check(sessions_by(raw, RANGE, limit=2), GROUPS, rows[:2])
        check(
            sessions_by(raw, RANGE, "device"), GROUPS, [("mobile", 2, 1, 0, 0.0, 0.0), ("unknown", 1, 1, 1, 1.0, 1.0)]
        )

    def test_another_group_is_an_error(self) -> None:
        """Which says what there is."""
        with pytest.raises(AnalysisError, match=r"by must be one of channel, source, .*, country, not 'city'"):
            sessions_by(derived(), RANGE, "city")  # type: ignore[arg-type]


class TestRevenueBy:
    def test_an_order_is_of_the_group_of_its_session(self) -> None:
        """Each currency by itself; an order without a session is of `unknown`."""
        lost = seen(3, HOME, "checkout_complete", session=None, order='{"id": 2, "total": 1, "currency": "EUR"}')
        again = seen(9001, HOME, "checkout_complete", "b2", client="ben", order='{"id": 1, "total": 99}')
        other = seen(9002, HOME, "checkout_complete", "b2", client="ben", order='{"id": 3, "total": 7}')
        rows = [
            ("EUR", "Email", 1, Decimal("12.5"), 12.5),
            ("EUR", "unknown", 1, Decimal(1), 1.0),
            ("unknown", "Direct", 1, Decimal(7), 7.0),
        ]
        raw = derived(*SHOP, lost, again, other)
        check(revenue_by(raw, RANGE), REVENUE, rows)
        check(revenue_by(raw, RANGE, limit=1), REVENUE, [rows[0], rows[2]])

    def test_events_without_orders_are_an_error(self) -> None:
        """Which says what to do."""
        raw = RawEvents(frame_of([], derived=True).drop("order"))
        with pytest.raises(AnalysisError, match="revenue needs orders"):
            revenue_by(raw, RANGE)


class TestTopPages:
    def test_pages_of_all_events(self) -> None:
        """By views; the query does not matter, and an event without a page is left out."""
        raw = derived(*SHOP, seen(3, LAMP, "click"), seen(4, None))
        schema = {"page_path": pl.String} | dict.fromkeys(("events", "views", "visitors", "sessions"), pl.Int64())
        rows = [("/", 2, 2, 2, 2), ("/product/lamp", 3, 2, 2, 2), ("/order", 1, 0, 1, 1)]
        check(top_pages(raw, RANGE), schema, rows)
        check(top_pages(raw, RANGE, limit=1), schema, rows[:1])


class TestSearchTerms:
    def test_who_searches_and_who_buys_later(self) -> None:
        """A purchase before the search does not count, nor one of another session."""
        raw = derived(
            seen(0, f"{HOME}search?q=lamp"),
            seen(1, f"{HOME}search?q=lamp", "click"),
            seen(2, HOME, "checkout_complete"),
            seen(3, f"{HOME}search?q=tote"),
            seen(4, f"{HOME}search?q=lamp", session="t", client="ben"),
            seen(5, f"{HOME}search?q=lamp", session=None, client="eve"),
            seen(6, HOME, "checkout_complete", session=None, client="eve"),
        )
        counts = dict.fromkeys(("views", "visitors", "sessions", "purchase_sessions"), pl.Int64())
        schema = {"search_term": pl.String, **counts, "conversion": pl.Float64}
        check(search_terms(raw, RANGE), schema, [("lamp", 3, 3, 2, 1, 0.5), ("tote", 1, 1, 1, 0, 0.0)])


class TestSources:
    CALLS: tuple[Callable[[Engine], object], ...] = (
        lambda engine: sessions_by(engine, RANGE),
        lambda engine: revenue_by(engine, RANGE),
        lambda engine: top_pages(engine, RANGE),
        lambda engine: search_terms(engine, RANGE),
        lambda engine: path_links(engine, RANGE),
        lambda engine: funnel(engine, RANGE, by="device"),
        lambda engine: latest_events(engine, RANGE, derived=True),
    )

    @pytest.mark.parametrize("call", CALLS)
    def test_an_engine_without_the_columns_is_an_error(
        self, call: Callable[[Engine], object], metrics_url: str
    ) -> None:
        """It names the metric, and says what to do."""
        for engine in (raw_of([]), warehouse_of(metrics_url, [])):
            with pytest.raises(
                AnalysisError, match=r"needs pages, channels and devices, .*use the lake, raw events with"
            ):
                call(engine)

    def test_rows_of_the_lake_have_them(self) -> None:
        """They are not derived again."""
        rows = with_derived(frame_of(SHOP, derived=True)).with_columns(device=pl.lit("tablet"))
        assert sessions_by(RawEvents(rows), RANGE, "device")["group"].to_list() == ["tablet"]
