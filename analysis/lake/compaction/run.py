"""Compaction from beginning to end: closed hours of raw become rows of the lake, a day at a time."""

import random
import time
from datetime import UTC, datetime
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.lake.compaction.damage import Repair
from analysis.lake.compaction.day import compact_day
from analysis.lake.compaction.outcome import Compacted
from analysis.lake.compaction.place import Place
from analysis.lake.compaction.planning import Closing, Plan, plan
from analysis.lake.files import Conflict, Damaged
from analysis.lake.location import Location
from analysis.lake.upkeep import sweep_daily
from analysis.raw.partitions import SCHEME
from command_line.progress import progress

__all__ = ["compact"]

MOST_TRIES = 10


def compact(
    source: str | Path,
    location: Location,
    span: tuple[datetime, datetime] | None = None,
    *,
    recent: bool = False,
    verify: bool = False,
    also_open: bool = False,
    now: datetime | None = None,
) -> Compacted:
    """Compact the closed hours that need it, and look after the lake's files.

    It may be stopped at any moment, and run again: an hour is in the lake as a whole or not at all.

    Args:
        source: The raw bucket, a directory or `s3://bucket`.
        location: Where the lake is. It is made if it is not there.
        span: Compact every hour that covers this span, changed or not.
        recent: Do not look for late objects in hours that ended more than 48 hours ago.
        verify: First read every file, and compare the rows of each hour with its record.
        also_open: Compact the current hour, too. It is compacted again once it is closed. Not for a bucket in S3, where
            nothing says that an hour has changed since.
        now: The time, aware; by default the clock's.

    Raises:
        AnalysisError: Raw or the lake cannot be read or written, or another process writes to the lake, or the open
            hour of a bucket in S3 is asked for.
    """
    if also_open and str(source).startswith(SCHEME):
        raise AnalysisError("the open hour of a bucket in S3 cannot be compacted: wait until it is closed")
    done = Compacted()
    with location.locked():
        place = Place(source, location)
        closing = Closing.at(now or datetime.now(UTC), also_open=also_open)
        found = plan(place.raw, source, place.records.hours, closing, span, recent=recent)
        done.waiting, done.gone = found.waiting, found.gone
        repair = Repair(place, found, closing, done, may_lose=span is not None)
        if verify:
            repair.verify()
        _add_unmerged(place, found, closing)
        try:
            _compact(place, found, closing, done, repair)
        except KeyboardInterrupt:
            raise AnalysisError("stopped: whole days are done or not begun, and the next run makes the rest") from None
        left = found.closed - place.records.hours.keys()
        done.left, done.oldest_left = len(left), min(left, default=None)
        done.swept = sweep_daily(location, (place.events.table, place.orders.table))
    return done


def _add_unmerged(place: Place, found: Plan, closing: Closing) -> None:
    """Add the closed days of several files to a plan."""
    for files in (place.events, place.orders):
        for day, count in files.days().items():
            if count > 1 and closing.has_day(day):
                found.days.setdefault(day, set())


def _compact(place: Place, found: Plan, closing: Closing, done: Compacted, repair: Repair) -> None:
    """Compact the hours of a plan, day by day; some hours may bring in others."""
    compacted: set[datetime] = set()
    tries = 0
    with progress("compacting hours", found.hours) as advance:
        while found.days:
            day = min(found.days)
            hours = found.days[day]
            try:
                again = compact_day(place, done, day, sorted(hours), is_closed=closing.has_day(day))
            except Damaged as error:
                repair.replace(error)
                continue
            except Conflict:
                tries += 1
                if tries > MOST_TRIES:
                    raise
                time.sleep(random.uniform(0, tries))  # noqa: S311  # so that two writers do not meet again
                place.open()
                continue
            tries = 0
            del found.days[day]
            compacted |= hours
            for hour in again - compacted:
                found.add(hour)
            advance(len(hours))
