"""Hours, days and weeks of a time zone, by `zoneinfo`."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

__all__ = ["cohort_of", "period_of", "periods_between"]

MINUTE = timedelta(minutes=1)


def period_of(time: datetime, grain: str, zone: str) -> datetime:
    """The instant at which a period of a time begins on the zone's clocks."""
    if grain == "minute":
        return time.replace(second=0, microsecond=0)
    if grain != "hour":
        first = cohort_of(time, grain, zone)
        return datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return _hour_start(time.replace(second=0, microsecond=0), zone)


@cache
def _hour_start(time: datetime, zone: str) -> datetime:
    """Go back minute by minute, as long as clocks show the same date and hour, and are as far from UTC."""
    while _hour(time - MINUTE, zone) == _hour(time, zone):
        time -= MINUTE
    return time


def _hour(time: datetime, zone: str) -> tuple[object, ...]:
    local = time.astimezone(ZoneInfo(zone))
    return local.date(), local.hour, local.utcoffset()


def cohort_of(time: datetime, grain: str, zone: str) -> date:
    """The zone's date of a time, or the Monday of its week, or the first of its month."""
    day = time.astimezone(ZoneInfo(zone)).date()
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[grain]


def periods_between(earlier: date, later: date, grain: str) -> int:
    """How many days, weeks or months lie between the beginnings of two."""
    if grain == "month":
        return (later.year - earlier.year) * 12 + later.month - earlier.month
    return (later - earlier).days // {"day": 1, "week": 7}[grain]
