"""Where raw objects are read from: a bucket in S3, or a directory that holds one."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID

from analysis.errors import AnalysisError
from chalicelib.keys import SUFFIX, object_key

__all__ = [
    "SCHEME",
    "Folder",
    "Source",
    "bucket_of",
    "hour_of",
    "hour_prefixes",
    "is_object",
    "is_partition",
    "open_source",
]

SCHEME = "s3://"
HOUR = timedelta(hours=1)
UPLOAD = ".rclone_temp_put_"  # how the local S3 server names what is not an object yet


class Folder(NamedTuple):
    """Objects whose keys are alike up to the last slash, which the prefix ends in."""

    prefix: str
    names: list[str]


class Source(Protocol):
    """One bucket. Every method raises AnalysisError if the bucket is not there, or cannot be read."""

    def folders(self, prefixes: Iterable[str]) -> Iterator[list[Folder]]:
        """For each prefix, which ends in a slash, the objects below it that the S3 trigger would take; in no order."""

    def read(self, folders: Iterable[Folder]) -> Iterator[tuple[str, bytes]]:
        """Key and body of each object; one that is gone by now is left out."""

    def hours(self) -> list[str]:
        """Every partition `events/YYYY/MM/DD/HH/` that there is, in order."""

    def last_modified(self, key: str) -> datetime:
        """When an object of the last listing was stored: aware, UTC, in whole seconds, as a GET gives it."""


def open_source(source: str | Path) -> Source:
    """The bucket `s3://bucket`, or the one in a directory (`DIR/events/…`).

    S3 is found as any AWS SDK finds it: the standard `AWS_*` environment, `AWS_ENDPOINT_URL_S3` among it. Raises
    AnalysisError if there is no such directory, or no bucket is named.
    """
    if not str(source).startswith(SCHEME):
        from analysis.local import LocalSource

        return LocalSource(Path(source))
    # Only here, since it takes a third of a second to import.
    from analysis.s3 import S3Source

    return S3Source(str(source).removeprefix(SCHEME).removesuffix("/"))


def bucket_of(source: str | Path) -> str:
    """The bucket's own name, which is in S3's events; a local one is named as its directory."""
    return Path(str(source).removeprefix(SCHEME)).absolute().name


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
