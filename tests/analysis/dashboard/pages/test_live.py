from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analysis.dashboard.answer import panel_named, shown_for
from analysis.dashboard.events import Place
from analysis.dashboard.export import as_python, as_sql
from analysis.dashboard.pages.live import LIVE, now_range
from analysis.dashboard.panel import Chart, Content, Table
from analysis.errors import AnalysisError
from emulator.seed.answers import overview, visitors
from emulator.seed.clock import milliseconds
from tests.analysis.dashboard.conftest import Chosen, Seeded
from tests.analysis.dashboard.pages.contents import WEEK, figures, rows

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 17, 12, 0, 20, tzinfo=UTC)
NAMES = ("visitors", "sessions", "views", "checkout_completes")


def made(seeded: Seeded, address: str, now: datetime = NOON) -> Mapping[str, Content]:
    """What each panel of the page shows at an instant."""
    shown = shown_for(seeded.place, f"page=live&{address}", now)
    return {panel.name: panel.make() for panel in LIVE.panels(shown)}


def between(seeded: Seeded, start: datetime, end: datetime) -> Seeded:
    """The records of a span; an event that came before it is not in it again."""
    first = {record.event_id: record for record in sorted(seeded.records, key=lambda each: each.time, reverse=True)}
    kept = [each for each in first.values() if milliseconds(start) <= each.time < milliseconds(end)]
    return Seeded(seeded.bucket, kept)


def table(contents: Mapping[str, Content], name: str) -> Table:
    """A table of the page."""
    content = contents[name]
    assert isinstance(content, Table)
    return content


def following(contents: Mapping[str, Content]) -> str:
    """The place after the shown page of events."""
    found = table(contents, "events").following
    assert found is not None
    return found


class TestNow:
    @pytest.mark.parametrize("minutes", ["5", "30", "60"])
    @pytest.mark.parametrize(
        ("added", "filters"), [("", {}), ("&device=mobile", {"device": ["mobile"]})], ids=["all", "filtered"]
    )
    def test_every_figure_is_exact(self, seeded: Seeded, minutes: str, added: str, filters: Chosen) -> None:
        """The last whole minutes and the present one, also when the range is another."""
        contents = made(seeded, f"{WEEK}&minutes={minutes}&limit=500{added}")
        end = NOON.replace(second=0) + timedelta(minutes=1)
        own = between(seeded, end - timedelta(minutes=int(minutes)), end)
        [key] = own.answer(overview.key_figures, filters)
        assert figures(contents) == {name: key[name] for name in NAMES}
        here = own.answer(visitors.visitors, filters, limit=500)
        assert rows(contents, "here") == here
        counted = dict.fromkeys((row["period"] for row in rows(contents, "minutes")), 0)
        for row in own.answer(overview.events_over_time, filters, grain="minute"):
            counted[row["period"]] += row["events"]
        assert len(counted) == int(minutes)
        assert {row["period"]: row["events"] for row in rows(contents, "minutes")} == counted
        assert filters or minutes == "5" or 0 < len(here) == key["visitors"]

    def test_the_present_minute_is_not_complete(self, seeded: Seeded) -> None:
        """The ones before it are."""
        chart = made(seeded, "minutes=5")["minutes"]
        assert isinstance(chart, Chart)
        assert chart.frame["is_complete"].to_list() == [True, True, True, True, False]

    def test_copies_are_of_the_last_minutes(self, seeded: Seeded) -> None:
        """Their SQL and Python name them, and not the range of the view."""
        shown = shown_for(seeded.place, f"page=live&{WEEK}", NOON)
        panel = panel_named(shown, "here")
        assert panel.within == now_range(shown)
        query = panel.make().query
        assert panel.within is not None
        assert query is not None
        for text in (as_sql(shown.at(panel.within), query), as_python(shown.at(panel.within), query)):
            assert "12:01:00" in text
            assert "2026-11-13" not in text

    def test_a_click_opens_the_visitor(self, seeded: Seeded) -> None:
        """On the page Visitors."""
        assert table(made(seeded, ""), "here").links["visitor"]["page"] == "visitors"


class TestEvents:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
    @pytest.mark.parametrize(
        ("added", "filters", "login"),
        [("", {}, None), ("&login=logged_in&country=VN", {"country": ["VN"]}, "logged_in")],
        ids=["all", "filtered"],
    )
    def test_pages_hold_every_event_once(
        self, seeded: Seeded, zone: str, added: str, filters: Chosen, login: str | None
    ) -> None:
        """The latest first, until there are no more."""
        address = f"{WEEK}&zone={zone}&limit=500{added}"
        expected: list[dict[str, Any]] = seeded.answer(
            visitors.latest_events, filters, zone, login, limit=100_000, derived=True
        )
        found, place = [], ""
        while True:
            contents = made(seeded, address + (f"&place={place}" if place else ""))
            found += rows(contents, "events")
            place = following(contents)
            if not place or len(found) > 2000:
                break
        assert found == expected[: len(found)]
        assert place or len(found) == len(expected)

    def test_the_last_page_says_that_it_is_the_last(self, seeded: Seeded) -> None:
        """Even if it is full."""
        whole = rows(made(seeded, f"{WEEK}&limit=500"), "events")
        start, end = whole[9]["event_timestamp"], "2026-11-20T00:00Z"
        contents = made(seeded, f"start={start}&end={end}&limit=10")
        assert len(rows(contents, "events")) == 10
        assert following(contents) == ""

    @pytest.mark.parametrize("place", ["yesterday", "2026-11-17", "2026-11-17T10:00:00 one", "2026-11-17T10:00:00Z"])
    def test_a_wrong_place_is_explained(self, seeded: Seeded, place: str) -> None:
        """In words."""
        with pytest.raises(AnalysisError, match="leave it out for the first page"):
            made(seeded, f"{WEEK}&place={place}")


class TestTrace:
    @pytest.mark.parametrize("clock", ["received", "occurred"])
    def test_an_event_opens_its_trace(self, seeded: Seeded, clock: str) -> None:
        """The key of its object, and when it was received."""
        listed = rows(made(seeded, f"{WEEK}&clock={clock}"), "events")[0]
        assert table(made(seeded, WEEK), "events").links["event_name"]["event"] == "{event_id}"
        contents = made(seeded, f"{WEEK}&clock={clock}&event={listed['event_id']}")
        assert next(iter(contents)) == "trace"
        trace = rows(contents, "trace")
        assert trace[0]["key"].startswith("events/2026/11/")
        assert (seeded.bucket / trace[0]["key"]).exists()
        if clock == "received":
            assert trace[0]["received_at"] == listed["event_timestamp"]

    def test_an_event_outside_the_range_is_explained(self, seeded: Seeded) -> None:
        """It says what to do."""
        with pytest.raises(AnalysisError, match="choose a range that holds it"):
            made(seeded, f"{WEEK}&event=nothing")


class TestFreshness:
    def test_a_short_range_of_the_present_is_read_again_sooner(
        self, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Within the ten seconds of a refresh; a long range once a minute."""
        clock = [0.0]
        monkeypatch.setattr("analysis.dashboard.work.kept.monotonic", lambda: clock[0])
        now = datetime.now(UTC)
        place: Place = seeded.place
        for preset, seconds in (("today", 10), ("28d", 60)):
            shown = shown_for(place, f"range={preset}", now)
            first = place.opened(shown.within, shown.view)
            clock[0] += seconds / 3
            assert place.opened(shown.within, shown.view) is first
            clock[0] += seconds
            assert place.opened(shown.within, shown.view) is not first
