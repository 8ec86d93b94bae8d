"""The names of raw objects: their hourly partitions, and the keys that the S3 trigger takes."""

import os
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from analysis.errors import AnalysisError
from chalicelib.keys import SUFFIX, is_in_hour, object_key

__all__ = [
    "HOUR_LEVELS",
    "SCHEME",
    "Days",
    "Folder",
    "covering_hours",
    "hour_of",
    "hour_prefixes",
    "is_object",
    "is_partition",
    "is_utf8",
    "prefix_of",
    "shown",
]

SCHEME = "s3://"
HOUR = timedelta(hours=1)
HOUR_LEVELS = ("year", "month", "day", "hour")  # of the folders below `events/`
UPLOAD = ".rclone_temp_put_"  # in the names of unfinished uploads to the local S3 server


class Folder(NamedTuple):
    """Objects with the same prefix, which ends with the last slash of their keys."""

    prefix: str
    names: list[str]


class Days(NamedTuple):
    """Days in a row, in UTC, from `first` to `last`, both included. They need not be few."""

    first: date
    last: date

    @classmethod
    def of_hours(cls, first: datetime, last: datetime) -> Self:
        """Give the days of whole hours from `first` to before `last`, in UTC. No hours have no days."""
        return cls(first.date(), (last - HOUR).date() if first < last else first.date() - timedelta(days=1))

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last


def hour_prefixes(start: datetime, end: datetime) -> list[str]:
    """List the partitions `events/YYYY/MM/DD/HH/` that cover a span.

    Arguments and errors are as in `covering_hours`.
    """
    first, last = covering_hours(start, end)
    return [prefix_of(first + number * HOUR) for number in range((last - first) // HOUR)]


def covering_hours(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Widen a span to the whole hours in UTC that cover it, because partitions are hours in UTC.

    Args:
        start: The first moment, aware.
        end: The moment after the last, aware.

    Returns:
        The first hour and the hour after the last, in UTC. An empty span stays empty.

    Raises:
        AnalysisError: A time is not aware, or the end is before the start.
    """
    for moment in (start, end):
        if moment.utcoffset() is None:
            raise AnalysisError(f"{moment} has no time zone: write one, for example 2026-11-24T00:00:00Z")
    if end < start:
        raise AnalysisError(f"the span ends ({end}) before it starts ({start})")
    first, last = (moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) for moment in (start, end))
    if start == end:
        return first, first
    return first, last if last == end else last + HOUR


def prefix_of(hour: datetime) -> str:
    """Give the partition of an hour, `events/YYYY/MM/DD/HH/`; `hour` is aware and in UTC."""
    return object_key(hour, UUID(int=0)).rpartition("/")[0] + "/"


def hour_of(key: str) -> datetime | None:
    """Read the hour in a key `events/YYYY/MM/DD/HH/…`, in UTC; None if the key has no hour."""
    parts = key.split("/")[1:5]
    try:
        return datetime(*map(int, parts), tzinfo=UTC) if len(parts) == 4 else None  # type: ignore[arg-type, misc]
    except ValueError:
        return None


def is_partition(prefix: str) -> bool:
    """Whether a prefix names one partition, spelled as ingest spells it."""
    return is_in_hour(prefix) and prefix.count("/") == len(HOUR_LEVELS) + 1 and prefix.endswith("/")


def is_object(name: str) -> bool:
    """Whether the S3 trigger would take an object, by the last part of its key."""
    return name.endswith(SUFFIX) and UPLOAD not in name


def shown(key: str) -> str:
    """Write the bytes of a file's name that are not UTF-8 as escapes."""
    return os.fsencode(key).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Whether a name can be a part of a key in S3. Python gives other bytes of a file's name as surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
