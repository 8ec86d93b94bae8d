"""Hours, days and weeks of a zone, in both engines, beside a computation with Python's `zoneinfo`."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import Engine, Range, events_over_time, retention, revenue_over_time
from analysis.metrics.zone import zone_of
from tests.support.event_rows import MONDAY, Event, event, raw_of

pytestmark = pytest.mark.slow

EngineOf = Callable[[Sequence[Event]], Engine]

QUARTER = timedelta(minutes=15)
ZONES = [
    "UTC",
    "Asia/Ho_Chi_Minh",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Antarctica/Troll",  # two hours of daylight saving
    "Africa/Cairo",  # clocks jump over midnight
    "America/Havana",  # clocks show midnight twice
    "America/Santiago",  # clocks jump over midnight, and go back to the day before
    "Atlantic/Azores",
    "Africa/Casablanca",  # engines' own rules differ for these
    "America/Vancouver",
    "Europe/Chisinau",
]
# The instants at which clocks change.
CHANGES = {
    "America/New_York": [datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)],
    "Europe/Berlin": [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)],
    "Australia/Lord_Howe": [datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)],
    "Africa/Cairo": [datetime(2026, 4, 23, 22, tzinfo=UTC), datetime(2026, 10, 29, 21, tzinfo=UTC)],
    "America/Havana": [datetime(2025, 3, 9, 5, tzinfo=UTC), datetime(2025, 11, 2, 5, tzinfo=UTC)],
    "America/Santiago": [datetime(2026, 4, 5, 3, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)],
}


def begins(moment: datetime, zone: str, grain: str) -> datetime:
    """Walk back in quarter hours to the first one in the same day, or in the same hour with the same offset."""

    def place(time: datetime) -> tuple[object, ...]:
        local = time.astimezone(zone_of(zone))
        return (local.date(),) if grain == "day" else (local.date(), local.hour, local.utcoffset())

    first = moment - (moment - MONDAY) % QUARTER
    # Also over a quarter of an hour of the day before, where clocks go back over midnight.
    while place(first - QUARTER) == place(moment):
        first -= QUARTER
    return first


def events_at(moments: Sequence[datetime]) -> list[Event]:
    return [event((moment - MONDAY).total_seconds(), client=f"c{n}") for n, moment in enumerate(moments)]


def counted(frame: pl.DataFrame) -> dict[datetime, int]:
    return dict(frame.select("period", "events").iter_rows())


def around(zone: str) -> list[datetime]:
    """Instants at and beside every quarter hour, from a day before to a day after each change of the clocks."""
    edges = (timedelta(0), timedelta(microseconds=1), -timedelta(microseconds=1))
    return [change + n * QUARTER + edge for change in CHANGES[zone] for n in range(-110, 110) for edge in edges]


class TestHoursAndDays:
    @pytest.mark.parametrize("grain", ["hour", "day"])
    @pytest.mark.parametrize("zone", CHANGES)
    def test_both_changes_of_the_clocks(self, zone: str, grain: str, engine_of: EngineOf) -> None:
        """Each event counts in the hour and the day that Python finds."""
        moments = around(zone)
        within = Range(min(moments), max(moments) + QUARTER, zone=zone)
        expected = Counter(begins(moment, zone, grain) for moment in moments)
        assert counted(events_over_time(engine_of(events_at(moments)), within, grain)) == expected  # type: ignore[arg-type]

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        zone=st.sampled_from(ZONES),
        seconds=st.lists(st.integers(-6 * 365 * 86400, 9 * 365 * 86400), min_size=1, max_size=200),
        grain=st.sampled_from(["hour", "day"]),
    )
    def test_any_instant_of_any_zone(self, zone: str, seconds: list[int], grain: str, engine_of: EngineOf) -> None:
        """From 2020 to 2035, in both engines as in Python."""
        moments = [MONDAY + timedelta(seconds=each) for each in seconds]
        within = Range(min(moments), max(moments) + QUARTER, zone=zone)
        expected = Counter(begins(moment, zone, grain) for moment in moments)
        assert counted(events_over_time(engine_of(events_at(moments)), within, grain)) == expected  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("zone", "day", "hours"),
        [
            ("America/New_York", date(2026, 3, 8), 23),
            ("America/New_York", date(2026, 11, 1), 25),
            ("Europe/Berlin", date(2026, 3, 29), 23),
            ("Europe/Berlin", date(2026, 10, 25), 25),
            ("Asia/Ho_Chi_Minh", date(2026, 11, 24), 24),
        ],
    )
    def test_a_day_has_23_24_or_25_hours(self, zone: str, day: date, hours: int, engine_of: EngineOf) -> None:
        """An event in each quarter hour gives so many hours of four events."""
        start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        end = datetime(day.year, day.month, day.day + 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        moments = [start + n * QUARTER for n in range(-8, (end - start) // QUARTER + 8)]
        engine = engine_of(events_at(moments))
        assert counted(events_over_time(engine, Range(start, end, zone=zone), "day")) == {start: 4 * hours}
        by_hour = counted(events_over_time(engine, Range(start, end, zone=zone), "hour"))
        assert by_hour == {start + timedelta(hours=n): 4 for n in range(hours)}

    def test_the_repeated_hour_is_two_hours(self, engine_of: EngineOf) -> None:
        """In Berlin, clocks show 2:30 twice in the night of October 25."""
        moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
        within = Range(moments[0], moments[1] + QUARTER, zone="Europe/Berlin")
        found = counted(events_over_time(engine_of(events_at(moments)), within, "hour"))
        assert found == {datetime(2026, 10, 25, hour, tzinfo=UTC): 1 for hour in (0, 1)}

    def test_half_an_hour_of_daylight_saving(self, engine_of: EngineOf) -> None:
        """On Lord Howe Island, 1:30 to 2:00 comes twice in April: the second time is an hour of 30 minutes."""
        moments = [datetime(2026, 4, 4, 14, 0, tzinfo=UTC) + n * QUARTER for n in range(10)]
        within = Range(moments[0], moments[-1] + QUARTER, zone="Australia/Lord_Howe")
        found = counted(events_over_time(engine_of(events_at(moments)), within, "hour"))
        assert list(found.items()) == [
            (datetime(2026, 4, 4, 14, 0, tzinfo=UTC), 4),
            (datetime(2026, 4, 4, 15, 0, tzinfo=UTC), 2),
            (datetime(2026, 4, 4, 15, 30, tzinfo=UTC), 4),
        ]

    @pytest.mark.parametrize(
        ("zone", "minutes"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("Asia/Ho_Chi_Minh", 0)]
    )
    def test_hours_begin_at_the_zones_own_minute(self, zone: str, minutes: int, engine_of: EngineOf) -> None:
        """Its clocks show a whole hour then."""
        within = Range(MONDAY, MONDAY + timedelta(hours=3), zone=zone)
        frame = events_over_time(engine_of(events_at([MONDAY + timedelta(hours=2)])), within, "hour")
        assert frame["period"].to_list() == [MONDAY + timedelta(hours=2 if minutes == 0 else 1, minutes=minutes)]

    def test_a_period_begins_before_a_range_that_begins_inside_it(self, engine_of: EngineOf) -> None:
        """The range only leaves out events; it moves no boundary."""
        start = MONDAY + timedelta(hours=5, minutes=20)
        engine = engine_of(events_at([start]))
        within = Range(start, start + QUARTER, zone="Asia/Ho_Chi_Minh")
        assert list(counted(events_over_time(engine, within, "hour"))) == [MONDAY + timedelta(hours=5)]
        assert list(counted(events_over_time(engine, within, "day"))) == [MONDAY - timedelta(hours=7)]

    @pytest.mark.parametrize("zone", ["America/Vancouver", "Africa/Casablanca"])
    def test_the_engines_own_rules_do_not_count(self, zone: str, engine_of: EngineOf) -> None:
        """Their copies of the IANA database are of other years than the package `tzdata`, and so is the computer's."""
        moments = [datetime(2027, month, 2, 7, 30, tzinfo=UTC) for month in range(1, 13)]
        within = Range(moments[0], moments[-1] + QUARTER, zone=zone)
        expected = Counter(begins(moment, zone, "day") for moment in moments)
        assert counted(events_over_time(engine_of(events_at(moments)), within, "day")) == expected


class TestCohorts:
    @pytest.mark.parametrize(
        ("zone", "cohorts"),
        [
            ("UTC", [(date(2026, 11, 1), 0), (date(2026, 11, 2), 0)]),
            ("Asia/Ho_Chi_Minh", [(date(2026, 11, 2), 0)]),
            ("America/New_York", [(date(2026, 11, 1), 0)]),
        ],
    )
    def test_days_are_dates_of_the_zone(self, zone: str, cohorts: list[tuple[date, int]], engine_of: EngineOf) -> None:
        """Two visitors, one before and one after midnight in UTC."""
        moments = [MONDAY - timedelta(hours=1), MONDAY + timedelta(hours=1)]
        within = Range(MONDAY - timedelta(days=2), MONDAY + timedelta(days=1), zone=zone)
        assert retention(engine_of(events_at(moments)), within, "day").select("cohort", "period").rows() == cohorts

    def test_weeks_begin_on_the_zones_monday(self, engine_of: EngineOf) -> None:
        """Sunday evening in UTC is Monday in Hanoi, and New York's Sunday lasts until Monday at 5:00 in UTC."""
        moments = [MONDAY - timedelta(hours=6), MONDAY + timedelta(hours=4)]
        engine = engine_of([each | {"client_id": "c"} for each in events_at(moments)])
        span = (MONDAY - timedelta(days=2), MONDAY + timedelta(days=1))
        rows = {
            zone: retention(engine, Range(*span, zone=zone), "week").select("cohort", "period", "active").rows()
            for zone in ("UTC", "Asia/Ho_Chi_Minh", "America/New_York")
        }
        assert rows == {
            "UTC": [(date(2026, 10, 26), 0, 1), (date(2026, 10, 26), 1, 1)],
            "Asia/Ho_Chi_Minh": [(date(2026, 11, 2), 0, 1)],
            "America/New_York": [(date(2026, 10, 26), 0, 1)],
        }

    def test_a_day_of_25_hours_is_one_day(self, engine_of: EngineOf) -> None:
        """The next day is period 1, though it begins 25 hours later."""
        moments = [datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)]
        engine = engine_of([each | {"client_id": "c"} for each in events_at(moments)])
        within = Range(moments[0], moments[1] + QUARTER, zone="Europe/Berlin")
        rows = retention(engine, within, "day").select("cohort", "period").rows()
        assert rows == [(date(2026, 10, 25), 0), (date(2026, 10, 25), 1)]


class TestRevenue:
    def test_orders_count_in_the_zones_day(self) -> None:
        """Two orders of one day in Hanoi, of two days in UTC."""
        moments = [MONDAY - timedelta(hours=1), MONDAY + timedelta(hours=1)]
        orders = [
            each | {"event_name": "checkout_complete", "order": f'{{"id": "{n}", "total": 5, "currency": "VND"}}'}
            for n, each in enumerate(events_at(moments))
        ]
        span = (MONDAY - timedelta(days=1), MONDAY + timedelta(days=1))
        frame = revenue_over_time(raw_of(orders), Range(*span, zone="Asia/Ho_Chi_Minh"))
        assert frame.select("period", "orders").rows() == [(MONDAY - timedelta(hours=7), 2)]
        assert revenue_over_time(raw_of(orders), Range(*span, zone="UTC")).height == 2
