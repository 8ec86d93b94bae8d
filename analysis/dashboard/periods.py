"""Ranges that people choose, what they are compared with, and the hours, days, weeks and months in them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.metrics.range import Range
from analysis.metrics.zone import next_period, period_start, zone_of

__all__ = ["GRAINS", "PRESETS", "Comparison", "Grain", "earlier", "grain_of", "periods", "span_of"]

Comparison: TypeAlias = Literal["none", "previous", "week", "year"]
Grain: TypeAlias = Literal["hour", "day", "week", "month"]
GRAINS: tuple[Grain, ...] = get_args(Grain)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# A chart has about so many periods at most.
MOST_PERIODS = 1000
Local = datetime  # a time without a zone, as clocks show it


def _days(count: int) -> Callable[[Local, Local], tuple[Local, Local]]:
    return lambda today, end: (today - (count - 1) * DAY, end)


def _month(day: Local, back: int = 0) -> Local:
    """Give the first day of a month, so many months before a day's."""
    months = day.year * 12 + day.month - 1 - back
    return day.replace(year=months // 12, month=months % 12 + 1, day=1)


# Each gives start and end, of the beginning of today and of the end of the current hour.
PRESETS: Mapping[str, Callable[[Local, Local], tuple[Local, Local]]] = MappingProxyType(
    {
        "today": _days(1),
        "yesterday": lambda today, _: (today - DAY, today),
        "7d": _days(7),
        "28d": _days(28),
        "90d": _days(90),
        "week": lambda today, end: (today - today.weekday() * DAY, end),
        "last_week": lambda today, _: (today - (today.weekday() + 7) * DAY, today - today.weekday() * DAY),
        "month": lambda today, end: (_month(today), end),
        "last_month": lambda today, _: (_month(today, 1), _month(today)),
        "12m": lambda today, end: (_month(today, 11), end),
    }
)


def span_of(preset: str, now: datetime, zone: str) -> tuple[datetime, datetime]:
    """Give start and end, in UTC, that a preset means at an instant. Presets of the present end with this hour."""
    there = zone_of(zone)
    local = now.astimezone(there).replace(tzinfo=None)
    end = next_period(period_start(now, "hour", there), "hour", there)
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    start, last = PRESETS[preset](today, end.astimezone(there).replace(tzinfo=None))
    whole = last.time() == today.time() and last <= today
    return _instant(start, zone), (_instant(last, zone) if whole else end)


def earlier(within: Range, comparison: Comparison) -> Range | None:
    """Give the range that a range is compared with, as long as it by the clocks of its zone.

    `previous` is directly before it: so many months before if the range is whole months, else so many days before that
    the two do not overlap. `week` is the latest range before it with the same days of the week, `year` the same dates a
    year before.
    """
    if comparison == "none":
        return None
    there = zone_of(within.zone)
    start, end = (time.astimezone(there).replace(tzinfo=None) for time in (within.start, within.end))
    days = -((start - end) // DAY)
    if comparison == "year":
        moved = [_years_before(time) for time in (start, end)]
    elif comparison == "previous" and (months := _whole_months(start, end)):
        moved = [_month(time, months) for time in (start, end)]
    else:
        back = days if comparison == "previous" else -(-days // 7) * 7
        moved = [time - back * DAY for time in (start, end)]
    first, last = (_instant(time, within.zone) for time in moved)
    return replace(within, start=first, end=max(first, last))


def grain_of(within: Range, wanted: str = "auto") -> Grain:
    """Give the grain that is wanted, unless that would be too many periods; with `auto`, one that suits the range."""
    days = (within.end - within.start) / DAY
    if wanted == "auto":
        return "hour" if days <= 2 else "day" if days <= 100 else "week" if days <= 500 else "month"
    least = "hour" if days * 24 <= MOST_PERIODS else "day" if days <= MOST_PERIODS else "week"
    return GRAINS[max(GRAINS.index(each) for each in (wanted, least))]


def periods(within: Range, grain: Grain, complete_until: datetime) -> pl.DataFrame:
    """List the periods of a range.

    Args:
        within: The range.
        grain: How long a period is.
        complete_until: All events before this instant are there.

    Returns:
        One row per period: `period` and `period_end` (UTC), and `is_complete`: whether the range holds all of it, and
        all of its events are there. Order: period.
    """
    rows = [
        (start, end, within.start <= start and end <= min(within.end, complete_until))
        for start, end in _periods(within, grain)
    ]
    time = pl.Datetime("us", "UTC")
    return pl.DataFrame(rows, {"period": time, "period_end": time, "is_complete": pl.Boolean()}, orient="row")


def _periods(within: Range, grain: Grain) -> Iterator[tuple[datetime, datetime]]:
    there = zone_of(within.zone)
    start = period_start(within.start, grain, there)
    while start < within.end:
        end = next_period(start, grain, there)
        yield start, end
        start = end


def _whole_months(start: Local, end: Local) -> int:
    """Count the months of a range; 0 if it does not begin and end with a month."""
    is_whole = all(time == _month(time).replace(hour=0, minute=0, second=0, microsecond=0) for time in (start, end))
    return (end.year - start.year) * 12 + end.month - start.month if is_whole else 0


def _years_before(time: Local) -> Local:
    try:
        return time.replace(year=time.year - 1)
    except ValueError:  # 29 February
        return time.replace(year=time.year - 1, day=28)


def _instant(local: Local, zone: str) -> datetime:
    """Give the instant at which clocks show a time: the first one if they show it twice, a later one if never."""
    return local.replace(tzinfo=zone_of(zone)).astimezone(UTC)
