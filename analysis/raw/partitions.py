"""How raw objects are named: the hourly partitions they lie in, and which keys the S3 trigger takes."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from analysis.errors import AnalysisError
from chalicelib.keys import SUFFIX, object_key

__all__ = ["SCHEME", "Folder", "hour_of", "hour_prefixes", "is_object", "is_partition"]

SCHEME = "s3://"
HOUR = timedelta(hours=1)
UPLOAD = ".rclone_temp_put_"  # how the local S3 server names what is not an object yet


class Folder(NamedTuple):
    """Objects whose keys are alike up to the last slash, which the prefix ends in."""

    prefix: str
    names: list[str]


def hour_prefixes(start: datetime, end: datetime) -> list[str]:
    """The partitions `events/YYYY/MM/DD/HH/` of a span of hours, the end excluded.

    Raises AnalysisError unless both are aware, whole hours in UTC, and in order.
    """
    for moment in (start, end):
        if moment.tzinfo is None:
            raise AnalysisError(f"{moment} has no time zone: partitions are hours in UTC")
        if moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) != moment:
            raise AnalysisError(f"{moment} is no whole hour in UTC: partitions are")
    if end < start:
        raise AnalysisError(f"the span ends, at {end}, before it starts, at {start}")
    first = start.astimezone(UTC)
    return [_prefix(first + number * HOUR) for number in range((end - start) // HOUR)]


def _prefix(hour: datetime) -> str:
    return object_key(hour, UUID(int=0)).rpartition("/")[0] + "/"


def hour_of(key: str) -> datetime | None:
    """The hour that a key `events/YYYY/MM/DD/HH/…` names, in UTC; None if it names none."""
    parts = key.split("/")[1:5]
    try:
        return datetime(*map(int, parts), tzinfo=UTC) if len(parts) == 4 else None  # type: ignore[arg-type, misc]
    except ValueError:
        return None


def is_partition(prefix: str) -> bool:
    """Whether a prefix is that of a whole partition, spelled as ingest spells it."""
    hour = hour_of(prefix)
    return hour is not None and _prefix(hour) == prefix


def is_object(name: str) -> bool:
    """Whether the S3 trigger would take it, by the last part of its key."""
    return name.endswith(SUFFIX) and UPLOAD not in name
