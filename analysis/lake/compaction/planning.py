"""Finds the hours to compact: hours that are closed, and were not compacted or have changed since."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.lake.hours import Hour, hash_of_names, modified_ns
from analysis.lake.schema import LAKE_VERSION
from analysis.raw.partitions import covering_hours, hour_of
from analysis.raw.source import Source

__all__ = ["Closing", "Plan", "day_span", "plan", "span_of"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RECENT = timedelta(hours=48)
CLOSE_MINUTES = 10


@dataclass(frozen=True)
class Closing:
    """Which hours and days are closed: the ones whose end is some minutes ago, by when all objects were stored.

    `before` is the end of the last closed hour, UTC.
    """

    before: datetime

    @classmethod
    def at(cls, now: datetime, *, also_open: bool = False) -> "Closing":
        """Read `LAKE_CLOSE_MINUTES`. Raises AnalysisError if it is not a whole number.

        Args:
            now: The time, aware.
            also_open: Take the current hour for closed, too.
        """
        text = os.environ.get("LAKE_CLOSE_MINUTES") or str(CLOSE_MINUTES)
        if not (text.isascii() and text.isdigit()):
            raise AnalysisError(f"LAKE_CLOSE_MINUTES must be a whole number of minutes, not {text!r}")
        last = now.astimezone(UTC) + HOUR if also_open else now.astimezone(UTC) - timedelta(minutes=int(text))
        return cls(last.replace(minute=0, second=0, microsecond=0))

    def has_hour(self, hour: datetime) -> bool:
        """Whether an hour is closed."""
        return hour + HOUR <= self.before

    def has_day(self, day: date) -> bool:
        """Whether a day is closed."""
        return self.has_hour(datetime(day.year, day.month, day.day, 23, tzinfo=UTC))


@dataclass
class Plan:
    """The hours to compact, by day.

    Attributes:
        days: The hours to compact; a day without hours is only merged into one file.
        waiting: How many hours are not closed yet.
        gone: The hours of which raw has fewer objects than were compacted. Their rows stay.
        closed: The closed hours that raw has.
    """

    days: dict[date, set[datetime]] = field(default_factory=dict)
    waiting: int = 0
    gone: list[datetime] = field(default_factory=list)
    closed: frozenset[datetime] = frozenset()

    def add(self, hour: datetime) -> None:
        """Compact this hour, too."""
        self.days.setdefault(hour.date(), set()).add(hour)

    @property
    def hours(self) -> int:
        """How many hours there are to compact."""
        return sum(map(len, self.days.values()))


def plan(
    opened: Source,
    source: str | Path,
    records: Mapping[datetime, Hour],
    closing: Closing,
    span: tuple[datetime, datetime] | None = None,
    *,
    recent: bool = False,
) -> Plan:
    """Find the hours to compact.

    Args:
        opened: The raw bucket.
        source: Where it is.
        records: What was compacted.
        closing: Which hours are closed.
        span: Compact every hour that covers this span, changed or not. By default, the hours that need it.
        recent: Do not look for late objects in hours that were compacted, and ended more than 48 hours ago.
    """
    there = {hour: prefix for prefix in opened.hours() if (hour := hour_of(f"{prefix}x"))}
    found = Plan(closed=frozenset(filter(closing.has_hour, there)))
    if span is not None:
        first, last = covering_hours(*span)
        for hour in sorted(there.keys() | records.keys()):
            if first <= hour < last:
                _add(found, hour, closing)
        return found
    looked_at: list[datetime] = []
    for hour, prefix in there.items():
        record = records.get(hour)
        if record is None or not closing.has_hour(hour):
            _add(found, hour, closing)
            continue
        is_skipped = recent and hour + HOUR + RECENT < closing.before
        if record.version < LAKE_VERSION or not (is_skipped or _is_unchanged(source, prefix, record)):
            looked_at.append(hour)
    found.gone += sorted(hour for hour in records.keys() - there.keys() if records[hour].objects)
    for start in range(0, len(looked_at), 24):
        _compare(opened, {hour: there[hour] for hour in looked_at[start : start + 24]}, records, found)
    return found


def _add(found: Plan, hour: datetime, closing: Closing) -> None:
    if closing.has_hour(hour):
        found.add(hour)
    else:
        found.waiting += 1


def _is_unchanged(source: str | Path, prefix: str, record: Hour) -> bool:
    return record.modified_ns is not None and modified_ns(source, prefix) == record.modified_ns


def _compare(opened: Source, prefixes: Mapping[datetime, str], records: Mapping[datetime, Hour], found: Plan) -> None:
    """List hours, and compare their objects with the ones that were compacted."""
    for (hour, _), folders in zip(prefixes.items(), opened.folders(prefixes.values()), strict=True):
        keys = [folder.prefix + name for folder in folders for name in folder.names]
        record = records[hour]
        if len(keys) < record.objects:
            found.gone.append(hour)
        elif record.version < LAKE_VERSION or hash_of_names(keys) != record.keys:
            found.add(hour)


def day_span(day: date) -> tuple[datetime, datetime]:
    """The first moment of a day in UTC, and the moment after its last."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + DAY


def span_of(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime] | None:
    """Give the span of two options: None without both; else from the beginning of raw, or up to now."""
    if start is None and end is None:
        return None
    return start or datetime.min.replace(year=2, tzinfo=UTC), end or datetime.now(UTC)
