"""Reads the events of a span from raw storage, as rows with the contract's columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from analysis.errors import AnalysisError
from analysis.raw.partitions import Folder, hour_prefixes
from analysis.raw.source import OnUnreadable, Source, open_source
from analysis.rows.fields import KEY, fields_named
from analysis.rows.projection import CORRUPT_SCHEMA, Batch, Corrupt, Projection
from chalicelib.contract import COLUMNS
from command_line.progress import progress

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

__all__ = ["Events", "OnError", "batches", "read_events", "read_hours", "read_objects"]

OnError: TypeAlias = Literal["raise", "report"]

# The greatest batch, in objects and in bytes: raw bytes are kept only until they are rows.
BATCH_OBJECTS = 8192
BATCH_BYTES = 32 * 1024 * 1024
STEP = 100  # of the progress bar


@dataclass(frozen=True)
class Events:
    """The events and the rejects of a span.

    Attributes:
        frame: One row per event, ordered by `event_timestamp`, then object key. The columns are the contract's, in its
            order, then the requested fields. UUIDs are lower-case text; times are in UTC, with microseconds.
        corrupt: `key` and `reason` of every object that the projector rejects, ordered by key. A reject has no time:
            the rejects of all hours that cover the span are here.
        unreadable: `key` and `reason` of every object that was denied, or is archived; the key of a partition or
            directory if nothing below it could be listed. Ordered by key, and always empty with `on_error="raise"`.
    """

    frame: pl.DataFrame
    corrupt: pl.DataFrame
    unreadable: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CORRUPT_SCHEMA))

    def relation(self, connection: "DuckDBPyConnection") -> "DuckDBPyRelation":
        """Give the frame as a DuckDB relation with the warehouse's types, in which UUIDs are UUID, not text."""
        uuids = ", ".join(
            f"CAST({column.name} AS UUID) AS {column.name}" for column in COLUMNS if column.type == "UUID"
        )
        return connection.from_arrow(self.frame.to_arrow()).project(f"* REPLACE ({uuids})")


def read_events(
    source: str | Path,
    start: datetime,
    end: datetime,
    *,
    fields: Sequence[str] = (),
    keep_duplicates: bool = False,
    on_error: OnError = "raise",
) -> Events:
    """Read the events that were received from `start` to `end`.

    Args:
        source: `s3://bucket`, found through the standard `AWS_*` environment, or a bucket's directory.
        start: The first moment, aware.
        end: The moment after the last, aware.
        fields: Further columns: raw fields (`analysis.rows.fields.RAW_FIELDS`), or `key`, the object's key.
        keep_duplicates: Keep every object. By default, only the object that was received first (by
            `event_timestamp`, then key) counts of several objects with the same event id.
        on_error: What happens if a single object may not be read. `raise` raises an error that names it. `report` reads
            all others, and names it in `unreadable`.

    Returns:
        The events and the rejects. An hour without objects simply has no events. The partitions (hours in UTC) that
        cover the span are read, and events with an `event_timestamp` outside it are left out.

    Raises:
        AnalysisError: The source does not exist or cannot be read, a time is not aware, the end is before the start, or
            a field is unknown.
    """
    read = read_hours(source, start, end, fields=fields, keep_duplicates=keep_duplicates, on_error=on_error)
    # In UTC, because Polars compares no times of different zones.
    is_inside = pl.col("event_timestamp").is_between(start.astimezone(UTC), end.astimezone(UTC), closed="left")
    return replace(read, frame=read.frame.filter(is_inside))


def read_hours(
    source: str | Path,
    start: datetime,
    end: datetime,
    *,
    fields: Sequence[str] = (),
    keep_duplicates: bool = False,
    on_error: OnError = "raise",
) -> Events:
    """Read all events of the partitions that cover a span; arguments and errors are as in `read_events`.

    Whatever an event's `event_timestamp` says, it is here if its object lies in one of these hours.
    """
    chosen = fields_named(fields)
    prefixes = hour_prefixes(start, end)
    unreadable: list[tuple[str, str]] = []
    opened = open_source(source, _on_unreadable(on_error, unreadable))
    projection = Projection(chosen, opened.last_modified)
    frames: list[pl.DataFrame] = [pl.DataFrame(schema=projection.schema)]
    corrupt: list[Corrupt] = []
    for batch in batches(_objects(opened, prefixes)):
        rows, refused = projection.rows(batch)
        frames.append(rows)
        corrupt += refused
    frame = pl.concat(frames).sort("event_timestamp", KEY)
    if not keep_duplicates:
        frame = frame.unique("event_id", keep="first", maintain_order=True)
    columns = [column.name for column in COLUMNS] + list(dict.fromkeys(fields))
    return Events(frame.select(columns), _by_key(corrupt), _by_key(unreadable))


def read_objects(
    source: str | Path, start: datetime, end: datetime, *, on_unreadable: OnUnreadable | None = None
) -> Iterator[tuple[str, bytes]]:
    """Read the key and the stored bytes of each object of the hours in UTC that cover a span.

    Arguments and errors are as in `read_events`. `on_unreadable` is called with key and reason of each object that may
    not be read. Without it, that is an error.
    """
    return _objects(open_source(source, on_unreadable), hour_prefixes(start, end))


def _on_unreadable(on_error: OnError, unreadable: list[tuple[str, str]]) -> OnUnreadable | None:
    if on_error == "raise":
        return None
    if on_error != "report":
        raise AnalysisError(f"on_error is {on_error!r}: write 'raise' or 'report'")
    return lambda key, reason: unreadable.append((key, reason))


def _by_key(named: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(named, CORRUPT_SCHEMA, orient="row").sort("key")


def _objects(source: Source, prefixes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    with progress("listing hours", len(prefixes)) as advance:
        folders: list[Folder] = []
        for found in source.folders(prefixes):
            folders += found
            advance(1)
    with progress("reading objects", sum(len(folder.names) for folder in folders)) as advance:
        for number, each in enumerate(source.read(folders), 1):
            yield each
            if number % STEP == 0:
                advance(STEP)


def batches(objects: Iterable[tuple[str, bytes]]) -> Iterator[Batch]:
    """Group objects into batches that are small enough for memory."""
    keys: list[str] = []
    bodies: list[bytes] = []
    size = 0
    for key, body in objects:
        keys.append(key)
        bodies.append(body)
        size += len(body)
        if len(keys) == BATCH_OBJECTS or size >= BATCH_BYTES:
            yield keys, bodies
            keys, bodies, size = [], [], 0
    if keys:
        yield keys, bodies
