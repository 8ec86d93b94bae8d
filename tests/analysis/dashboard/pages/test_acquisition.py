import pytest

from analysis.dashboard.pages.acquisition import ACQUISITION, FILTER_OF, TABLES
from analysis.dashboard.panel import Chart, Figure, Table
from emulator.seed.answers import acquisition, overview
from tests.analysis.dashboard.conftest import Chosen, Seeded
from tests.analysis.dashboard.pages.contents import EARLIER, LATER, WEEK, check_compared, figures, made, rows

pytestmark = pytest.mark.slow


class TestAcquisition:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
    @pytest.mark.parametrize(
        ("added", "filters"),
        [("", {}), ("&campaign=(not+set)&device=mobile", {"campaign": ["(not set)"], "device": ["mobile"]})],
        ids=["all", "filtered"],
    )
    def test_every_figure_is_exact(self, seeded: Seeded, zone: str, added: str, filters: Chosen) -> None:
        """Beside the seed's answers, in two zones, with and without filters."""
        contents = made(seeded, "acquisition", f"{WEEK}&zone={zone}&by=landing_page&limit=500{added}")
        [key] = seeded.answer(overview.key_figures, filters, zone)
        assert figures(contents) == {name: key[name] for name in ("sessions", "visitors", "visitor_conversion")}
        for name, by in TABLES.items():
            assert rows(contents, name) == seeded.answer(acquisition.sessions_by, filters, zone, by=by, limit=500)
        landing = seeded.answer(acquisition.sessions_by, filters, zone, by="landing_page", limit=15)
        assert rows(contents, "groups") == landing
        assert rows(contents, "revenue") == seeded.answer(
            acquisition.revenue_by, filters, zone, by="landing_page", limit=500
        )
        assert rows(contents, "search_terms") == seeded.answer(acquisition.search_terms, filters, zone, limit=500)
        assert len(rows(contents, "campaigns")) > (0 if filters else 1)

    @pytest.mark.parametrize("by", ACQUISITION.options["by"])
    def test_every_group_has_bars_and_revenue(self, seeded: Seeded, by: str) -> None:
        """What a click filters by is the group that was clicked."""
        contents = made(seeded, "acquisition", f"{WEEK}&by={by}")
        chart, revenue = contents["groups"], contents["revenue"]
        assert rows(contents, "groups") == seeded.answer(acquisition.sessions_by, by=by, limit=15)
        assert rows(contents, "revenue") == seeded.answer(acquisition.revenue_by, by=by, limit=10)
        assert isinstance(chart, Chart)
        assert isinstance(revenue, Table)
        assert chart.filters == revenue.filters == ({"group": FILTER_OF[by]} if by in FILTER_OF else {})

    @pytest.mark.parametrize("name", [name for name, by in TABLES.items() if by in FILTER_OF])
    def test_a_click_keeps_the_sessions_that_the_row_counts(self, seeded: Seeded, name: str) -> None:
        """The address that it makes has as many sessions as the row."""
        contents = made(seeded, "acquisition", WEEK)
        row, table = rows(contents, name)[0], contents[name]
        assert isinstance(table, Table)
        filtered = made(seeded, "acquisition", f"{WEEK}&{table.filters['group']}={row['group']}")
        assert figures(filtered)["sessions"] == row["sessions"]

    def test_it_is_compared_with_the_period_before(self, seeded: Seeded) -> None:
        """Figures, bars and every table; a row that was not among the first before is found all the same."""
        later = made(seeded, "acquisition", f"{LATER}&measure=buyers&by=landing_page")
        earlier = made(seeded, "acquisition", f"{EARLIER}&limit=500")
        assert {name: each.previous for name, each in later.items() if isinstance(each, Figure)} == figures(earlier)
        for name in TABLES:
            check_compared(later, earlier, name, ("group",), "sessions")
        check_compared(later, earlier, "search_terms", ("search_term",), "sessions")
        by_landing = made(seeded, "acquisition", f"{EARLIER}&by=landing_page&limit=500")
        check_compared(later, by_landing, "revenue", ("currency", "group"), "revenue")
        check_compared(later, earlier | {"groups": earlier["landing_pages"]}, "groups", ("group",), "buyers")

    def test_a_share_of_a_group_that_was_not_there_is_unknown(self, seeded: Seeded) -> None:
        """It is not 0."""
        contents = made(seeded, "acquisition", "start=2026-11-13&end=2026-11-16&measure=session_conversion")
        assert {row["previous"] for row in rows(contents, "groups")} == {None}
