import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
import vl_convert

from analysis import (
    RawEvents,
    ValidationReport,
    by_login_state,
    carts,
    charts,
    discount_effect,
    events_over_time,
    funnel,
    paths,
    products,
    retention,
    revenue_over_time,
    sessions,
    top_brands,
    top_categories,
    top_events,
)
from tests.support.event_rows import RANGE, event, raw_of
from tests.support.raw_objects import START

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script> & \"'"
DAY = 86_400

WIDGET: dict[str, Any] = {"product": "p1", "product_name": "Cup", "category": HOSTILE, "brand": "B", "price": 100}
OTHER: dict[str, Any] = {"product": "p2", "product_name": "Cup", "category": "cups", "price": 100, "discount": 80}
ORDER = '{"id": "o", "total": 180, "currency": "EUR"}'
VISITS = [
    event(0, "product_view", client="a", session="s", login="anonymous", first=True, **WIDGET),
    event(5, "add_to_cart_click", client="a", session="s", login="anonymous", first=True, **WIDGET),
    event(9, "product_view", client="a", session="s", login="anonymous", first=True, **OTHER),
    event(20, "checkout_start", client="a", session="s", login="logged_in", first=True),
    event(30, "checkout_complete", client="a", session="s", login="logged_in", first=True, order=ORDER),
    event(40, HOSTILE, client="b", session="t", login="anonymous", first=False),
    event(8 * DAY, "product_view", client="a", session="u", login="anonymous", first=False, **WIDGET),
]

CHARTS: dict[str, Callable[[RawEvents], Any]] = {
    "events_over_time": lambda raw: charts.overview.events_over_time(events_over_time(raw, RANGE)),
    "top_events": lambda raw: charts.overview.top_events(top_events(raw, RANGE)),
    "conversion": lambda raw: charts.overview.conversion(by_login_state(raw, RANGE), "user_login_state"),
    "categories": lambda raw: charts.overview.ranking(top_categories(raw, RANGE), "category"),
    "brands": lambda raw: charts.overview.ranking(top_brands(raw, RANGE), "brand"),
    "funnel": lambda raw: charts.funnel.funnel(funnel(raw, RANGE)),
    "funnel_any": lambda raw: charts.funnel.funnel(funnel(raw, RANGE, order="any")),
    "funnel_by_group": lambda raw: charts.funnel.funnel_by_group(funnel(raw, RANGE, by="category"), "category"),
    "durations": lambda raw: charts.sessions.durations(sessions(raw, RANGE)),
    "depths": lambda raw: charts.sessions.depths(sessions(raw, RANGE)),
    "carts": lambda raw: charts.sessions.carts(carts(raw, RANGE)),
    "paths": lambda raw: charts.sessions.paths(paths(raw, RANGE)),
    "paths_with_clicks": lambda raw: charts.sessions.paths(paths(raw, RANGE, clicks=True), clicks=True),
    "top_products": lambda raw: charts.products.top_products(products(raw, RANGE, limit=5)),
    "add_rates": lambda raw: charts.products.add_rates(products(raw, RANGE)),
    "discount_effect": lambda raw: charts.products.discount_effect(discount_effect(raw, RANGE)),
    "revenue": lambda raw: charts.products.revenue_over_time(revenue_over_time(raw, RANGE)),
    "retention_days": lambda raw: charts.retention.retention(retention(raw, RANGE, "day"), "day"),
    "retention_weeks": lambda raw: charts.retention.retention(retention(raw, RANGE, "week"), "week"),
    "retention_first_visit": lambda raw: charts.retention.retention(
        retention(raw, RANGE, "week", "first_visit"), "week", "first_visit"
    ),
}


def drawn(chart: Any) -> str:
    svg: str = vl_convert.vegalite_to_svg(chart.to_json(), allowed_base_urls=[])
    return svg


def axes(specification: Any) -> list[Any]:
    """Every axis, at whatever depth."""
    if isinstance(specification, list):
        return [axis for each in specification for axis in axes(each)]
    if not isinstance(specification, dict):
        return []
    encoding = specification.get("encoding", {})
    found = [encoding[name] for name in ("x", "y") if name in encoding]
    return found + [axis for value in specification.values() for axis in axes(value)]


class TestEveryChart:
    @pytest.mark.parametrize("name", CHARTS)
    def test_it_has_a_title_and_each_axis_its_own(self, name: str) -> None:
        """So that it can be read without what is around it."""
        chart = CHARTS[name](raw_of(VISITS)).to_dict()
        assert chart["title"]
        assert axes(chart)
        assert all(axis["title"] for axis in axes(chart))

    @pytest.mark.parametrize("name", CHARTS)
    def test_no_text_of_an_event_is_markup(self, name: str) -> None:
        """Whatever a client calls its events and products."""
        assert "<script" not in drawn(CHARTS[name](raw_of(VISITS)))

    @pytest.mark.parametrize("name", CHARTS)
    def test_nothing_can_be_drawn_too(self, name: str) -> None:
        """A range without any event gives an empty chart, with its title."""
        chart = CHARTS[name](raw_of([]))
        svg = drawn(chart)
        assert chart.to_dict()["title"] in svg
        assert re.search(r'viewBox="0 0 \d{2,4} \d{2,4}"', svg)


class TestFunnel:
    def test_steps_show_visitors_and_share(self) -> None:
        """One of one visitor gets everywhere."""
        svg = drawn(CHARTS["funnel"](raw_of(VISITS)))
        assert "4. checkout_complete" in svg
        assert svg.count(">1  (100 %)<") == 4


class TestConversion:
    def test_who_added_nothing_is_there(self) -> None:
        """Without a bar, where there is no rate, and in each of the three charts."""
        svg = drawn(CHARTS["conversion"](raw_of(VISITS)))
        assert svg.count(">logged_in<") == 3
        assert svg.count(">anonymous<") == 3

    def test_each_ratio_is_called_by_its_unit(self) -> None:
        """Visitors, sessions, events."""
        svg = drawn(CHARTS["conversion"](raw_of(VISITS)))
        for title in ("visitors who buy", "sessions with a purchase", "checkouts per add-to-cart click"):
            assert f">{title}<" in svg


class TestPaths:
    @pytest.mark.parametrize(("name", "counted"), [("paths", "without"), ("paths_with_clicks", "with")])
    def test_the_title_says_whether_clicks_count(self, name: str, counted: str) -> None:
        """Because a chart without any click looks the same in both cases."""
        assert f", {counted} automatic clicks," in CHARTS[name](raw_of(VISITS)).to_dict()["title"]


class TestDurations:
    def test_each_session_is_in_one_class(self) -> None:
        """A class goes to and with its bound; 0 s is a class of its own."""
        frame = pl.DataFrame({"duration": [0.0, 0.0, 0.1, 10.0, 10.5, 1800.0, 1801.0]})
        values = next(iter(charts.sessions.durations(frame).to_dict()["datasets"].values()))
        counts = {row["duration_class"]: row["sessions"] for row in values if row["sessions"]}
        assert counts == {"0 s": 2, "≤ 10 s": 2, "≤ 30 s": 1, "≤ 30 min": 1, "> 30 min": 1}


class TestTopProducts:
    def test_two_of_one_name_are_two(self) -> None:
        """Told apart by their ids."""
        svg = drawn(CHARTS["top_products"](raw_of(VISITS)))
        assert "Cup (p1)" in svg
        assert "Cup (p2)" in svg


class TestRetention:
    def test_a_visitor_who_is_back_after_a_week(self) -> None:
        """One of two, whose number is in the label."""
        svg = drawn(CHARTS["retention_weeks"](raw_of(VISITS)))
        assert "2026-11-02 (2)" in svg
        assert ">50%<" in svg

    @pytest.mark.parametrize(
        ("name", "beginning"),
        [("retention_weeks", "first event in the range"), ("retention_first_visit", "first visit")],
    )
    def test_title_and_axes_say_what_begins_a_cohort(self, name: str, beginning: str) -> None:
        """In the same words."""
        chart = CHARTS[name](raw_of(VISITS)).to_dict()
        assert chart["title"] == f"Visitors who are back, by week of their {beginning}"
        titles = {axis["title"] for axis in axes(chart)}
        assert titles == {f"weeks after the {beginning}", f"week of the {beginning}, UTC (visitors)"}


class TestValidation:
    def test_objects_and_findings(self) -> None:
        """Also of a report in which there is nothing."""
        hours = pl.DataFrame({"hour": [START], "objects": [3], "rows": [1], "duplicates": [1], "rejects": [1]})
        full = drawn(charts.validation.objects(hours.with_columns(missing=0, not_yet_judged=0)))
        assert ">rejects<" in full
        schema = {"hour": pl.Datetime("us", "UTC")} | dict.fromkeys(
            ("rows", "duplicates", "rejects", "missing", "not_yet_judged"), pl.Int64
        )
        report = ValidationReport(
            "bucket",
            has_warehouse=False,
            start=START,
            end=START,
            hours=pl.DataFrame(schema=schema),
            checks=[],
            sample=None,
            judged_until=START,
            lookback=timedelta(hours=24),
        )
        assert "objects" in drawn(charts.validation.objects(report.hours))
        assert "checks found" in drawn(charts.validation.findings(report.as_frame()))
