import pytest

from analysis.dashboard.pages.visitors import ONE
from analysis.dashboard.panel import Figure, Table
from analysis.errors import AnalysisError
from emulator.seed.answers import overview, visitors
from tests.analysis.dashboard.conftest import Chosen, Seeded, plain
from tests.analysis.dashboard.pages.contents import EARLIER, LATER, WEEK, check_compared, figures, made, rows

pytestmark = pytest.mark.slow


class TestVisitors:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
    @pytest.mark.parametrize(
        ("added", "filters"), [("", {}), ("&channel=Email", {"channel": ["Email"]})], ids=["all", "filtered"]
    )
    def test_every_figure_is_exact(self, seeded: Seeded, zone: str, added: str, filters: Chosen) -> None:
        """Beside the seed's answers, in two zones, with and without filters."""
        contents = made(seeded, "visitors", f"{WEEK}&zone={zone}&limit=500{added}")
        [key] = seeded.answer(overview.key_figures, filters, zone)
        assert figures(contents) == {name: key[name] for name in ("visitors", "sessions", "visitor_conversion")}
        assert rows(contents, "types") == seeded.answer(overview.visitor_types, filters, zone)
        assert rows(contents, "list") == seeded.answer(visitors.visitors, filters, zone, limit=500, orders=True)
        assert len(rows(contents, "list")) == key["visitors"]

    def test_pages_hold_every_visitor_once(self, seeded: Seeded) -> None:
        """The latest first, until there are no more."""
        found, place = [], ""
        while True:
            contents = made(seeded, "visitors", f"{WEEK}&limit=50" + (f"&place={place}" if place else ""))
            table = contents["list"]
            assert isinstance(table, Table)
            found += rows(contents, "list")
            assert table.following is not None
            place = table.following
            if not place:
                break
        assert len(found) > 50
        assert found == seeded.answer(visitors.visitors, limit=10_000, orders=True)

    def test_it_is_compared_with_the_period_before(self, seeded: Seeded) -> None:
        """Figures, and new and returning visitors."""
        later, earlier = made(seeded, "visitors", LATER), made(seeded, "visitors", EARLIER)
        assert {name: each.previous for name, each in later.items() if isinstance(each, Figure)} == figures(earlier)
        check_compared(later, earlier, "types", ("visitor_type",), "visitors")

    def test_an_empty_range_shows_nothing(self, seeded: Seeded) -> None:
        """Zeros and empty tables, and no error."""
        contents = made(seeded, "visitors", "start=2026-10-01&end=2026-10-02")
        assert figures(contents) == {"visitors": 0, "sessions": 0, "visitor_conversion": None}
        assert rows(contents, "list") == []


class TestOneVisitor:
    def test_figures_and_events_are_the_visitors(self, seeded: Seeded) -> None:
        """Those of the list's row, and all events in order, page by page."""
        listed = seeded.answer(visitors.visitors, limit=10_000, orders=True)
        buyer = max(listed, key=lambda row: (row["orders"], row["events"]))
        for row in (buyer, listed[-1]):
            address = f"{WEEK}&limit=10&person={row['visitor_kind']}+{row['visitor']}"
            contents = made(seeded, "visitors", address)
            shown = plain([{name.removeprefix("one_"): value for name, value in figures(contents).items()}])[0]
            assert shown == {name: row[name] for name in (*ONE, "orders", "revenue")}
            found, place = [], ""
            while True:
                contents = made(seeded, "visitors", address + (f"&place={place}" if place else ""))
                table = contents["events"]
                assert isinstance(table, Table)
                found += rows(contents, "events")
                place = table.following or ""
                if not place:
                    break
            arguments = {"visitor": row["visitor"], "kind": row["visitor_kind"], "derived": True}
            assert found == seeded.answer(visitors.visitor_events, limit=10_000, **arguments)
            assert len(found) == row["events"]

    def test_a_visitor_who_did_not_come_has_nothing(self, seeded: Seeded) -> None:
        """No figures and no events, and no error."""
        contents = made(seeded, "visitors", f"{WEEK}&person=client+nobody")
        assert set(figures(contents).values()) == {None}
        assert rows(contents, "events") == []

    @pytest.mark.parametrize("visitor", ["nobody", "person+1", "client+"])
    def test_a_wrong_visitor_is_explained(self, seeded: Seeded, visitor: str) -> None:
        """In words."""
        with pytest.raises(AnalysisError, match="write client or user, a space, and the id"):
            made(seeded, "visitors", f"{WEEK}&person={visitor}")
