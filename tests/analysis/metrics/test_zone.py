from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from analysis.metrics.zone import day_start, local_text, next_period, offsets, zone_of

START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
NAMES = (files("tzdata") / "zones").read_text().split()


class TestZoneOf:
    def test_every_zone_is_known(self) -> None:
        """All names of the IANA database."""
        assert len(NAMES) > 500
        assert [name for name in NAMES if zone_of(name).key != name] == []

    @pytest.mark.parametrize("name", ["UTC", "Asia/Ho_Chi_Minh", "Europe/Berlin", "Australia/Lord_Howe"])
    def test_the_rules_are_pythons(self, name: str) -> None:
        """The same as of a zone that Python finds by itself, where rules have not changed for years."""
        moments = [START + timedelta(hours=7 * n) for n in range(5000)]
        here, there = zone_of(name), ZoneInfo(name)
        assert [each.astimezone(here).utcoffset() for each in moments] == [
            each.astimezone(there).utcoffset() for each in moments
        ]


class TestOffsets:
    @pytest.mark.parametrize("name", NAMES[::7])
    def test_they_are_the_zones(self, name: str) -> None:
        """Within each one, the zone's clocks are ahead of UTC by as much; a second before it they are not."""
        zone = zone_of(name)
        found = offsets(zone, START, END)
        assert found[0].start <= START - timedelta(days=1)
        assert found[-1].end == END
        for each in found:
            for moment in (each.start, each.start + (each.end - each.start) / 2, each.end - timedelta(microseconds=1)):
                assert moment.astimezone(zone).utcoffset() == timedelta(seconds=each.seconds)
        assert [before.end for before in found[:-1]] == [after.start for after in found[1:]]
        assert all(before.seconds != after.seconds for before, after in pairwise(found))

    def test_the_day_of_a_change_is_known(self) -> None:
        """It began before it: at midnight in summer time."""
        _, last = offsets(
            zone_of("Europe/Berlin"), datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)
        )
        assert last.start == datetime(2026, 10, 25, 1, tzinfo=UTC)
        assert last.day == datetime(2026, 10, 24, 22, tzinfo=UTC)


class TestNextPeriod:
    def test_a_day_of_25_hours(self) -> None:
        """It ends at the next midnight."""
        berlin = zone_of("Europe/Berlin")
        start = day_start(datetime(2026, 10, 25).date(), berlin)  # noqa: DTZ001  # a date has no zone
        assert next_period(start, "day", berlin) - start == timedelta(hours=25)

    def test_an_hour_of_half_an_hour(self) -> None:
        """On Lord Howe Island, the hour after a change of the clocks, and the one that clocks jump into."""
        zone = zone_of("Australia/Lord_Howe")
        short = datetime(2026, 4, 4, 15, tzinfo=UTC)
        assert next_period(short, "hour", zone) == short + timedelta(minutes=30)
        whole = datetime(2026, 4, 4, 14, tzinfo=UTC)
        assert next_period(whole, "hour", zone) == whole + timedelta(hours=1)


class TestLocalText:
    def test_it_is_what_clocks_show(self) -> None:
        """In the zone, whatever zone the time is given in."""
        noon = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("America/New_York"))
        assert local_text(noon, "Asia/Kathmandu") == "2026-11-24 22:45"
