"""Time zones: their names, the instants at which their clocks change, and times as their clocks show them.

The rules of every zone come from the package `tzdata`, for both engines and on every computer. DuckDB, PostgreSQL and
the operating system have each a copy of the IANA database of their own, and copies of different years disagree.
"""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analysis.errors import AnalysisError

__all__ = [
    "Offset",
    "day_start",
    "default_zone",
    "instant",
    "local_text",
    "next_period",
    "offsets",
    "period_start",
    "zone_of",
]

VARIABLE = "CLICKSTREAM_ZONE"
EXAMPLES = "Asia/Ho_Chi_Minh, Europe/Berlin or UTC"
DAY = timedelta(days=1)
# Clocks are looked at between these: the IANA database begins in 1970, and nobody knows the rules of 2100.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Offset(NamedTuple):
    """How far a zone's clocks are ahead of UTC, from `start` to `end`.

    `start` and `end` are instants in UTC, the end excluded; `seconds` is the offset, negative west of Greenwich.
    `day` is the instant at which the zone's day began in which `start` lies.
    """

    start: datetime
    end: datetime
    seconds: int
    day: datetime


@cache
def zone_of(name: str) -> ZoneInfo:
    """Find a zone by its IANA name. Raises AnalysisError, which says what to write."""
    if name in _names():
        with (files("tzdata") / "zoneinfo" / name).open("rb") as rules:
            return ZoneInfo.from_file(rules, name)
    # Also by the city alone. Etc/GMT+7 is west of Greenwich, so it is not what people mean by GMT+7.
    places = [each for each in _names() if not each.startswith("Etc/")]
    known = {text: each for each in places for text in (each.casefold(), each.casefold().rpartition("/")[2])}
    close = get_close_matches(str(name).casefold().replace(" ", "_"), known, n=1, cutoff=0.85)
    advice = f"did you mean {known[close[0]]}?" if close else f"write one such as {EXAMPLES}"
    raise AnalysisError(f"{name!r} is not the IANA name of a time zone: {advice}")


@cache
def _names() -> list[str]:
    return (files("tzdata") / "zones").read_text("utf-8").split()


def default_zone() -> str:
    """Give the zone that `CLICKSTREAM_ZONE` names, else UTC. Raises AnalysisError if the variable names none."""
    name = os.environ.get(VARIABLE) or "UTC"
    try:
        return zone_of(name).key
    except AnalysisError as error:
        raise AnalysisError(f"{VARIABLE}: {error}") from None


def offsets(zone: ZoneInfo, start: datetime, end: datetime) -> list[Offset]:
    """List the offsets of a zone in a span, in order.

    Args:
        zone: The zone.
        start: The first moment, aware.
        end: The moment after the last, aware.

    Returns:
        The offsets, without a gap between them. The first one begins at least a day before `start`, so that whole
        days can be told; the last one ends at `end`.
    """
    first = min(max(start.astimezone(UTC), FIRST + 2 * DAY), LAST) - 2 * DAY
    starts = [first, *_changes(zone, first, min(end.astimezone(UTC), LAST))]
    days = [day_start(each.astimezone(zone).date(), zone) for each in starts]
    seconds = [_seconds(zone, each) for each in starts]
    starts[0] = min(first, start.astimezone(UTC))
    return [Offset(*each) for each in zip(starts, [*starts[1:], end.astimezone(UTC)], seconds, days, strict=True)]


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Give the instant in UTC at which a day begins: the first midnight, or the end of the gap that it falls in."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def period_start(moment: datetime, grain: str, zone: ZoneInfo) -> datetime:
    """Give the instant in UTC at which the hour, day, week or month of a zone begins that holds `moment`."""
    local = moment.astimezone(zone)
    if grain == "hour":
        begins = moment.astimezone(UTC) - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        changes = [each.start for each in offsets(zone, moment, moment + timedelta(microseconds=1))]
        return max([begins, *(each for each in changes if begins < each <= moment)])
    day = local.date()
    back = {"day": 0, "week": day.weekday(), "month": day.day - 1}[grain]
    return day_start(day - back * DAY, zone)


def next_period(period: datetime, grain: str, zone: ZoneInfo) -> datetime:
    """Give the instant in UTC at which a period of a zone ends that begins at `period`; see `TimeGrain`."""
    if grain == "minute":
        return period.astimezone(UTC) + timedelta(minutes=1)
    if grain == "hour":
        local = period.astimezone(zone)
        ends = period.astimezone(UTC) + timedelta(hours=1) - timedelta(minutes=local.minute, seconds=local.second)
        return next((each.start for each in offsets(zone, period, ends) if each.start > period), ends)
    first = period.astimezone(zone).date()
    if grain == "month":
        return day_start((first.replace(day=1) + 32 * DAY).replace(day=1), zone)
    return day_start(first + (7 * DAY if grain == "week" else DAY), zone)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Give the instant at which a zone's clocks show a time.

    Args:
        local: A time without a zone. Midnight stands for the beginning of the day, even where clocks jump over it.
        zone: The zone.

    Returns:
        The instant, in UTC.

    Raises:
        AnalysisError: The zone's clocks never show this time, or show it twice.
    """
    if local.time() == time():
        return day_start(local.date(), zone)
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    text = local.isoformat()
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local:
        both = " or ".join(each.isoformat() for each in (first, second))
        raise AnalysisError(f"clocks in {zone.key} show {text} twice: write {both}")
    there = first.astimezone(UTC).astimezone(zone).isoformat()
    raise AnalysisError(f"clocks in {zone.key} jump over {text}: write another time, for example {there}")


def local_text(moment: datetime, zone: str, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """Write an instant as a zone's clocks show it; with its offset if they show this time twice."""
    local = moment.astimezone(zone_of(zone))
    is_shown_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.strftime(f"{pattern} %z" if is_shown_twice else pattern)


def _seconds(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101  # only naive times have none
    return round(offset.total_seconds())


def _changes(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Find the instants at which the offset changes; no zone changes it twice in a day."""
    before = first
    while before < last:
        after = min(before + DAY, last)
        if _seconds(zone, before) != _seconds(zone, after):
            yield _change(zone, before, after)
        before = after


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Find the first whole second with the offset of `after`, by halving."""
    early, late, offset = int(before.timestamp()), int(after.timestamp()), _seconds(zone, after)
    while late - early > 1:
        middle = (early + late) // 2
        if _seconds(zone, datetime.fromtimestamp(middle, UTC)) == offset:
            late = middle
        else:
            early = middle
    return datetime.fromtimestamp(late, UTC)
