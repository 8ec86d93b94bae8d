from collections.abc import Mapping
from typing import Any

import pytest

from analysis.dashboard.answer import shown_for
from analysis.dashboard.pages.overview import OVERVIEW
from analysis.dashboard.panel import Chart, Content, Figure, Table
from emulator.seed.answers import acquisition, overview, products, revenue
from tests.analysis.dashboard.conftest import NOW, Chosen, Seeded, plain

pytestmark = pytest.mark.slow

RANGE = "start=2026-11-13T00:00Z&end=2026-11-20T00:00Z&compare=none"


def made(seeded: Seeded, address: str) -> Mapping[str, Content]:
    """What each panel of the page shows."""
    return {panel.name: panel.make() for panel in OVERVIEW.panels(shown_for(seeded.place, address, NOW))}


def figures(contents: Mapping[str, Content]) -> dict[str, Any]:
    return {name: content.value for name, content in contents.items() if isinstance(content, Figure)}


def table(contents: Mapping[str, Content], name: str) -> list[dict[str, Any]]:
    content = contents[name]
    assert isinstance(content, Table)
    return plain(content.frame.to_dicts())


class TestOverview:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
    @pytest.mark.parametrize(
        ("added", "filters"),
        [
            ("", {}),
            ("&device=mobile", {"device": ["mobile"]}),
            ("&channel=Email&channel=Direct", {"channel": ["Email", "Direct"]}),
        ],
        ids=["all", "device", "channels"],
    )
    def test_every_figure_is_exact(self, seeded: Seeded, zone: str, added: str, filters: Chosen) -> None:
        """Beside the seed's answers, in two zones, with and without filters."""
        contents = made(seeded, f"{RANGE}&zone={zone}&grain=day{added}")
        [key] = seeded.answer(overview.key_figures, filters, zone)
        money = max(seeded.answer(revenue.revenue, filters, zone), key=lambda row: row["orders"])
        names = ("visitors", "sessions", "views", "add_rate", "visitor_conversion")
        assert figures(contents) == {name: key[name] for name in names} | {
            name: money[name] for name in ("orders", "revenue", "average_order_value")
        }
        days = seeded.answer(overview.key_figures_over_time, filters, zone, grain="day")
        chart = contents["over_time"]
        assert isinstance(chart, Chart)
        found = plain(chart.frame.select("period", "visitors").to_dicts())
        expected = {row["period"]: row["visitors"] for row in days}
        assert [row["visitors"] for row in found] == [expected.get(row["period"], 0) for row in found]
        assert sum(row["visitors"] for row in found) == sum(expected.values())
        top = seeded.answer(products.products, filters, zone, limit=10)
        assert table(contents, "top_products") == top
        assert table(contents, "top_pages") == seeded.answer(acquisition.top_pages, filters, zone, limit=10)
        for name, by in (("channels", "channel"), ("devices", "device")):
            assert table(contents, name) == seeded.answer(acquisition.sessions_by, filters, zone, by=by, limit=10)
        assert table(contents, "counts") == seeded.answer(overview.overview, filters, zone)
        assert table(contents, "login_states") == seeded.answer(overview.by_login_state, filters, zone)
        assert table(contents, "top_events") == seeded.answer(overview.top_events, filters, zone)
        assert table(contents, "currencies") == seeded.answer(revenue.revenue, filters, zone)

    def test_it_is_compared_with_the_period_before(self, seeded: Seeded) -> None:
        """The second half of the week with the first; both are what they are alone."""
        both = made(seeded, "start=2026-11-16&end=2026-11-19")
        before = figures(made(seeded, "start=2026-11-13&end=2026-11-16&compare=none"))
        assert {name: content.previous for name, content in both.items() if isinstance(content, Figure)} == before
        chart = both["over_time"]
        assert isinstance(chart, Chart)
        assert chart.frame["previous"].sum() > 0

    @pytest.mark.parametrize("measure", OVERVIEW.options["measure"])
    def test_each_measure_has_a_course(self, seeded: Seeded, measure: str) -> None:
        """One value for each hour, of which those of counts add up."""
        contents = made(seeded, f"{RANGE}&grain=hour&measure={measure}")
        chart = contents["over_time"]
        assert isinstance(chart, Chart)
        assert chart.frame.height == 7 * 24
        if measure in {"views", "orders", "revenue"}:
            assert chart.frame[measure].sum() == figures(contents)[measure]

    def test_an_incomplete_day_is_marked(self, seeded: Seeded) -> None:
        """The day that the range cuts, and the day that is not over, are not complete, in chart and sparkline."""
        contents = made(seeded, "start=2026-11-18T12:00&end=2026-11-22&grain=day")
        chart, visitors = contents["over_time"], contents["visitors"]
        assert isinstance(chart, Chart)
        assert isinstance(visitors, Figure)
        assert visitors.course is not None
        marks = [False, True, True, False]  # 21 November is not over
        assert chart.frame["is_complete"].to_list() == marks == visitors.course["is_complete"].to_list()

    def test_an_empty_range_shows_nothing(self, seeded: Seeded) -> None:
        """No orders, and no error."""
        contents = made(seeded, "start=2026-10-01&end=2026-10-02")
        assert figures(contents)["visitors"] == 0
        assert figures(contents)["orders"] == 0
        assert figures(contents)["add_rate"] is None
