from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import Range, moment
from analysis.dashboard.periods import GRAINS, PRESETS, Comparison, earlier, grain_of, periods, span_of

HANOI, NEW_YORK, LORD_HOWE = "Asia/Ho_Chi_Minh", "America/New_York", "Australia/Lord_Howe"
NOW = datetime(2026, 11, 30, 22, 15, tzinfo=UTC)  # 1 December, 5:15, in Hanoi: a Tuesday


def shown(within: Range) -> str:
    return str(within).partition(" (")[0]


class TestSpanOf:
    @pytest.mark.parametrize(
        ("preset", "span"),
        [
            ("today", "2026-12-01 00:00 to 2026-12-01 06:00"),
            ("yesterday", "2026-11-30 00:00 to 2026-12-01 00:00"),
            ("7d", "2026-11-25 00:00 to 2026-12-01 06:00"),
            ("28d", "2026-11-04 00:00 to 2026-12-01 06:00"),
            ("90d", "2026-09-03 00:00 to 2026-12-01 06:00"),
            ("week", "2026-11-30 00:00 to 2026-12-01 06:00"),
            ("last_week", "2026-11-23 00:00 to 2026-11-30 00:00"),
            ("month", "2026-12-01 00:00 to 2026-12-01 06:00"),
            ("last_month", "2026-11-01 00:00 to 2026-12-01 00:00"),
            ("12m", "2026-01-01 00:00 to 2026-12-01 06:00"),
        ],
    )
    def test_each_is_of_the_zones_days(self, preset: str, span: str) -> None:
        """Those of the present end with the current hour."""
        assert shown(Range(*span_of(preset, NOW, HANOI), zone=HANOI)) == span

    def test_all_are_tested(self) -> None:
        """Above."""
        assert len(PRESETS) == 10

    @given(
        st.sampled_from(sorted(PRESETS)),
        st.timedeltas(timedelta(0), timedelta(3650)),
        st.sampled_from([HANOI, NEW_YORK, LORD_HOWE]),
    )
    def test_none_is_empty(self, preset: str, past: timedelta, zone: str) -> None:
        """At whatever instant, also where clocks change."""
        start, end = span_of(preset, NOW - past, zone)
        assert start < end <= NOW - past + timedelta(hours=1)


class TestEarlier:
    @pytest.mark.parametrize(
        ("start", "end", "comparison", "span"),
        [
            ("2026-11-30", "2026-12-01T05:00", "previous", "2026-11-28 00:00 to 2026-11-29 05:00"),
            ("2026-11-30", "2026-11-30T05:00", "previous", "2026-11-29 00:00 to 2026-11-29 05:00"),
            ("2026-11-23", "2026-11-30", "previous", "2026-11-16 00:00 to 2026-11-23 00:00"),
            ("2026-11-01", "2026-12-01", "previous", "2026-10-01 00:00 to 2026-11-01 00:00"),
            ("2026-10-01", "2026-12-01", "previous", "2026-08-01 00:00 to 2026-10-01 00:00"),
            ("2026-11-24", "2026-11-25", "week", "2026-11-17 00:00 to 2026-11-18 00:00"),
            ("2026-11-10", "2026-11-20", "week", "2026-10-27 00:00 to 2026-11-06 00:00"),
            ("2026-11-24", "2026-11-25", "year", "2025-11-24 00:00 to 2025-11-25 00:00"),
            ("2028-02-29", "2028-03-01", "year", "2027-02-28 00:00 to 2027-03-01 00:00"),
            # New York's clocks went back on 1 November: the day has 25 hours, and the one before it 24.
            ("2026-11-01T00:00", "2026-11-02T00:00", "previous", "2026-10-31 00:00 to 2026-11-01 00:00"),
        ],
    )
    def test_it_is_as_long_by_the_zones_clocks(self, start: str, end: str, comparison: Comparison, span: str) -> None:
        """Months are compared with months, and nothing overlaps."""
        found = earlier(Range(moment(start, NEW_YORK), moment(end, NEW_YORK), "logged_in", NEW_YORK), comparison)
        assert found is not None
        assert shown(found) == span
        assert found.login_state == "logged_in"

    def test_none(self) -> None:
        """If nothing is compared."""
        assert earlier(Range(NOW - timedelta(1), NOW), "none") is None


class TestPeriods:
    def test_what_the_range_cuts_is_not_complete(self) -> None:
        """The first day begins before the range, and the last is not over."""
        within = Range(moment("2026-11-28T12:00", HANOI), moment("2026-12-01T06:00", HANOI), zone=HANOI)
        assert periods(within, "day", NOW)["is_complete"].to_list() == [False, True, True, False]

    def test_what_may_still_come_is_not_complete(self) -> None:
        """All events before that instant are there."""
        within = Range(NOW - timedelta(hours=4, minutes=15), NOW - timedelta(hours=1, minutes=15))
        assert periods(within, "hour", within.end)["is_complete"].to_list() == [True, True, True]
        assert periods(within, "hour", within.end - timedelta(seconds=1))["is_complete"].to_list() == [
            True,
            True,
            False,
        ]

    @pytest.mark.parametrize("grain", GRAINS)
    @pytest.mark.parametrize("zone", [HANOI, NEW_YORK, LORD_HOWE])
    def test_they_cover_the_range_without_gaps(self, zone: str, grain: str) -> None:
        """Also where clocks change; each begins where the one before it ends."""
        within = Range(moment("2026-03-01T07:30", zone), moment("2026-11-20T01:00", zone), zone=zone)
        found = periods(within, grain, within.end)  # type: ignore[arg-type]  # one of them
        assert found["period"][0] <= within.start < found["period_end"][0]
        assert found["period"][-1] < within.end <= found["period_end"][-1]
        assert found["period"][1:].to_list() == found["period_end"][:-1].to_list()


class TestGrainOf:
    @pytest.mark.parametrize(("days", "grain"), [(1, "hour"), (7, "day"), (90, "day"), (200, "week"), (800, "month")])
    def test_it_suits_the_range(self, days: int, grain: str) -> None:
        """So that a half year is as readable as a week."""
        assert grain_of(Range(NOW - timedelta(days), NOW)) == grain

    def test_too_many_periods_are_made_fewer(self) -> None:
        """Hours of a year are days; what was chosen counts otherwise."""
        assert grain_of(Range(NOW - timedelta(365), NOW), "hour") == "day"
        assert grain_of(Range(NOW - timedelta(4000), NOW), "hour") == "week"
        assert grain_of(Range(NOW - timedelta(365), NOW), "month") == "month"
