"""Read the events of a span of hours from raw storage, as rows of the contract's columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from analysis.raw.partitions import Folder, hour_prefixes
from analysis.raw.source import Source, open_source
from analysis.rows.fields import KEY, fields_named
from analysis.rows.projection import CORRUPT_SCHEMA, Batch, Corrupt, Projection
from chalicelib.contract import COLUMNS
from command_line.progress import progress

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

__all__ = ["Events", "batches", "read_events", "read_objects"]

# Raw bytes are kept only until they are rows: so many objects, or bytes, at a time.
BATCH_OBJECTS = 8192
BATCH_BYTES = 32 * 1024 * 1024
STEP = 100  # of the progress bar


@dataclass(frozen=True)
class Events:
    """The events of a span, and the objects of it that are none.

    `frame`: one row per event, ordered by `event_timestamp`, then object key. Its columns are the contract's, in its
    order, then the fields asked for. UUIDs are lower-case text, times are in UTC with microseconds.
    `corrupt`: `key` and `reason` of every object that the projector rejects, ordered by key.
    """

    frame: pl.DataFrame
    corrupt: pl.DataFrame

    def relation(self, connection: "DuckDBPyConnection") -> "DuckDBPyRelation":
        """The frame as a DuckDB relation on this connection, of the warehouse's types: UUID is UUID."""
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
) -> Events:
    """Read the events received in the hours from `start` to `end`, the end excluded.

    `source` is `s3://bucket`, found through the standard `AWS_*` environment, or a bucket's directory. `start` and
    `end` are aware, whole hours in UTC. `fields` names what stays in raw only (`analysis.rows.fields.RAW_FIELDS`), or
    `key`: that of the object. Of several objects with one event id, the first received counts, by `event_timestamp`,
    then key, unless duplicates are to be kept. An hour of which there is nothing has no events.

    Raises AnalysisError for a source that is not there or cannot be read, a span of something else than hours, and a
    field that is unknown.
    """
    chosen = fields_named(fields)
    prefixes = hour_prefixes(start, end)
    opened = open_source(source)
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
    return Events(frame.select(columns), pl.DataFrame(corrupt, CORRUPT_SCHEMA, orient="row").sort("key"))


def read_objects(source: str | Path, start: datetime, end: datetime) -> Iterator[tuple[str, bytes]]:
    """Key and body, as stored, of each object of a span of hours; `source`, the span and errors as in `read_events`."""
    return _objects(open_source(source), hour_prefixes(start, end))


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
    """Objects by the thousand, of which few enough are in memory at once."""
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
