"""The hours of a span for which the lake stands in, and their rows."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import polars as pl

from analysis.lake.files import Files
from analysis.lake.hours import Hour
from analysis.lake.reading.scans import relation_of
from analysis.lake.schema import EVENT_COLUMNS, PARTITION_HOUR, SENT
from analysis.raw.partitions import Folder, hour_of, prefix_of
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import KEY

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.table import FileScanTask

    from analysis.lake.reading.compacted import Compacted

__all__ = ["Window", "has_fields"]

HOUR = timedelta(hours=1)
SENT_ID = "sent_event_id"
# The place of the digit that is 5 in ids that are hashes.
VERSION_AT = 14


@dataclass(frozen=True)
class Window:
    """The hours of a span for which the lake stands in.

    Attributes:
        compacted: The lake.
        first: The first hour of the span, UTC.
        last: The hour after the last, UTC.
        tasks: The files with the rows of the span.
        records: The record of each hour that is valid.
        others: Hours that are not valid, and have rows in these files.
        without_receipt: The valid hours in which a row has no `received_at`.
        incomplete: The valid hours with objects that are not rows, and have to be read all the same.
        is_in_order: Whether every row of these files has a time within its hour.
    """

    compacted: "Compacted"
    first: datetime
    last: datetime
    tasks: "list[FileScanTask]"
    records: Mapping[datetime, Hour]
    others: frozenset[datetime]
    without_receipt: frozenset[datetime]
    incomplete: frozenset[datetime]
    is_in_order: bool

    def has(self, prefix: str) -> bool:
        """Whether the lake stands in for a partition."""
        return hour_of(f"{prefix}x") in self.records

    def relation(
        self,
        connection: "duckdb.DuckDBPyConnection",
        columns: Sequence[str],
        name: str,
        days: Container[date] | None = None,
    ) -> str:
        """Give SQL for the rows of the valid hours, to be written after FROM. Its times may be beyond the span.

        Args:
            connection: The database.
            columns: The columns that are needed.
            name: A prefix, of this relation only, for the tables that are made in the database.
            days: The days of which rows are needed, UTC; by default all.
        """
        every = list(dict.fromkeys((*columns, PARTITION_HOUR)))
        tasks = self.tasks if days is None else [task for task in self.tasks if Files.day(task) in days]
        rows = relation_of(connection, self.compacted.table, tasks, every, name)
        if not self.others and self.is_in_order:
            # The query's own condition on the time leaves out the hours beyond the span, at no cost.
            return rows
        bounds = f"{PARTITION_HOUR} >= {_literal(self.first)} AND {PARTITION_HOUR} < {_literal(self.last)}"
        others = ", ".join(map(_literal, sorted(self.others)))
        unwanted = f" AND {PARTITION_HOUR} NOT IN ({others})" if others else ""
        return f"(SELECT * FROM {rows} WHERE {bounds}{unwanted})"  # noqa: S608  # our own names

    def frame(self, prefixes: Iterable[str], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """Read the rows of the valid ones among some partitions.

        Args:
            prefixes: The partitions.
            schema: The columns, as `analysis.rows.projection.Projection` names them.

        Raises:
            Damage: A file is damaged.
        """
        hours = _among(prefixes, self.records)
        if not hours or not self.tasks:
            return pl.DataFrame(schema=schema)
        columns = [*map(_column, schema), *(("event_id", KEY) if SENT_ID in schema else ())]
        rows = self._rows(hours, list(dict.fromkeys(columns)))
        if SENT_ID in schema:
            rows = rows.with_columns(_sent_ids(rows))
        return rows.select(pl.col(_column(name)).cast(kind).alias(name) for name, kind in schema.items())

    def leftover(self, prefixes: Iterable[str]) -> list[Folder]:
        """List the objects of some partitions that are not rows, and have to be read from raw all the same."""
        hours = _among(prefixes, self.incomplete)
        if not hours:
            return []
        folders = [Folder(prefix_of(hour), list(names)) for hour in hours if (names := self.records[hour].others)]
        unknown = [hour for hour in hours if self.records[hour].others is None]
        return folders + (self._not_rows(unknown) if unknown else [])

    def _not_rows(self, hours: Sequence[datetime]) -> list[Folder]:
        """List hours, and leave out the objects that are rows."""
        keys = set(self._rows(hours, [KEY])[KEY]) if self.tasks else set()
        return [
            Folder(folder.prefix, names)
            for folders in self.compacted.listed(hours).values()
            for folder in folders
            if (names := [name for name in folder.names if folder.prefix + name not in keys])
        ]

    def _rows(self, hours: Sequence[datetime], columns: Sequence[str]) -> pl.DataFrame:
        with self.compacted.connection() as connection, self.compacted.watching(self.tasks):
            rows = self.relation(connection, columns, "rows", {hour.date() for hour in hours})
            here = f"{PARTITION_HOUR} BETWEEN {_literal(hours[0])} AND {_literal(hours[-1])}"
            if len(hours) <= (hours[-1] - hours[0]) // HOUR:
                here += f" AND {PARTITION_HOUR} IN ({', '.join(map(_literal, hours))})"
            listed = ", ".join(f'"{name}"' for name in columns)
            frame: pl.DataFrame = connection.sql(f"SELECT {listed} FROM {rows} WHERE {here}").pl()  # noqa: S608  # as above
            return frame


def has_fields(names: Iterable[str]) -> bool:
    """Whether the lake has these raw fields, exactly as raw gives them. Its browser's time also takes numbers."""
    return all(name != SENT and _column(name) in EVENT_COLUMNS for name in names)


def _among(prefixes: Iterable[str], hours: Container[datetime]) -> list[datetime]:
    found = (hour_of(f"{prefix}x") for prefix in prefixes)
    return sorted(hour for hour in found if hour is not None and hour in hours)


def _column(name: str) -> str:
    return SENT if name == SENT_AT.name else name


def _literal(moment: datetime) -> str:
    return f"TIMESTAMPTZ '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'"


def _sent_ids(rows: pl.DataFrame) -> pl.Series:
    """Give the ids as they were sent: the table has null for the same text as `event_id`, and for none."""
    same = rows.select(pl.col(SENT_ID).fill_null(pl.col("event_id"))).to_series()
    # Only a hash of the key can stand for an id that was not sent.
    may_be_hash = pl.col(SENT_ID).is_null() & (pl.col("event_id").str.slice(VERSION_AT, 1) == "5")
    hashes = rows.with_row_index().filter(may_be_hash).select("index", "event_id", KEY).iter_rows()
    nameless = [place for place, event_id, key in hashes if event_id == str(uuid5(NAMESPACE_URL, key))]
    return same.scatter(nameless, None) if nameless else same
