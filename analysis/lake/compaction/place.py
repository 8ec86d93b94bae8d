"""What a compaction reads and writes: a raw bucket, and the lake as it is after each commit."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import polars as pl

from analysis.lake.files import Files
from analysis.lake.hours import Hour, Records
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.raw.partitions import prefix_of
from analysis.raw.source import bucket_of, open_source
from analysis.raw.tombstones import Tombstones, read_tombstones
from analysis.rows.oddities.evidence import Evidence

__all__ = ["Place"]


class Place:
    """A raw bucket and its lake, both open.

    Args:
        source: The raw bucket, a directory or `s3://bucket`.
        location: Where the lake is. It is made if it is not there.

    Attributes:
        raw: The raw bucket. It adds key and reason of each object that may not be read to `unreadable`.
        events: The files of the table of events.
        orders: The files of the table of orders.
        records: The records of all hours.
        evidence: How evidence is made.
        price_decimals: How many decimals the prices keep.
    """

    def __init__(self, source: str | Path, location: Location) -> None:
        self.source = source
        self.location = location
        self.unreadable: list[tuple[str, str]] = []
        self.raw = open_source(source, lambda key, reason: self.unreadable.append((key, reason)))
        self.tombstones: Tombstones | None = read_tombstones(open_source(source))
        self.open()

    def open(self) -> None:
        """Look at the lake as it is now."""
        tables = open_tables(self.location, bucket_of(self.source))
        self.price_decimals = tables.price_decimals
        self.events = Files(tables.events, "event_id", "event_timestamp")
        self.orders = Files(tables.orders, "order_id", "placed_at")
        self.records = Records(self.location.store)
        self.evidence = Evidence.made(self.location.store)

    def living(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Leave out the rows of erased people."""
        return rows if self.tombstones is None else self.tombstones.of_others(rows)

    def forget(self, hours: Iterable[datetime]) -> None:
        """Remove the records of hours."""
        self.records.write({hour: None for hour in hours if self.records.get(hour) is not None})

    def has_in_raw(self, hour: datetime, record: Hour) -> bool:
        """Whether raw still has as many objects of an hour as were compacted."""
        folders = [folder for found in self.raw.folders([prefix_of(hour)]) for folder in found]
        return sum(len(folder.names) for folder in folders) >= record.objects
