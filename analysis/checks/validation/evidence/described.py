"""Reads the objects and rows that are judged, a day at a time: what other stores of events can give is given here."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from analysis.checks.validation.evidence.describing import describe
from analysis.checks.validation.objects import KNOWN, SCHEMA
from analysis.checks.validation.warehouse.rows import rows_in
from analysis.engines.protocol import Engine
from analysis.lake.reading.compacted import Compacted
from analysis.lake.reading.scans import Damage
from analysis.raw.objects import day_batches
from analysis.raw.partitions import covering_hours, prefix_of
from analysis.raw.source import Source
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import KEY
from analysis.rows.reader import read_hours

__all__ = ["Known", "described", "stored_rows"]

DAY = timedelta(hours=24)  # that is read at once
HOUR = timedelta(hours=1)
KNOWN_COLUMNS = {SENT_AT.name if name == "sent_at" else name: kind for name, kind in SCHEMA.items() if name in KNOWN}
FIELDS = (KEY, "received_at", "sent_event_timestamp", "tab_id", "seq")


def described(source: Source, prefixes: Sequence[str], price_decimals: int) -> Iterator[pl.DataFrame]:
    """Describe the objects of some hours, with the columns of SCHEMA, in the order in which they are read."""
    for keys, bodies in day_batches(source, prefixes):
        yield describe(zip(keys, bodies, strict=True), source.last_modified, price_decimals)


class Known:
    """Reads objects that are only compared with others, with the columns KNOWN: from the lake where it has them.

    Args:
        source: The raw bucket.
        price_decimals: How many decimals the prices keep.
        compacted: The lake, if there is one.

    Attributes:
        lake_hours: How many hours the lake gave.
    """

    def __init__(self, source: str | Path, price_decimals: int, compacted: Compacted | None = None) -> None:
        self._source, self._price_decimals, self._compacted = source, price_decimals, compacted
        self.lake_hours = 0

    def of(self, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
        """Read the hours that cover a span."""
        for first, last in _days(*covering_hours(start, end)):
            yield from self._of_lake(first, last) if self._compacted else [self._of_raw(first, last)]

    def _of_raw(self, first: datetime, last: datetime) -> pl.DataFrame:
        read = read_hours(
            self._source,
            first,
            last,
            fields=FIELDS,
            keep_duplicates=True,
            on_error="report",
            price_decimals=self._price_decimals,
        )
        return read.frame.rename({"sent_event_timestamp": "sent_at"}).select(KNOWN)

    def _of_lake(self, first: datetime, last: datetime) -> Iterator[pl.DataFrame]:
        """Read a day: an hour with objects that are not rows, or have no receipt, comes from raw."""
        found = None
        while found is None and self._compacted is not None:
            window = self._compacted.window(first, last, since=first, repeats=True)
            hours = sorted(window.records.keys() - window.incomplete - window.without_receipt)
            with suppress(Damage):
                found = window.frame(map(prefix_of, hours), KNOWN_COLUMNS)
        if found is not None:
            self.lake_hours += len(hours)
            yield found.rename({SENT_AT.name: "sent_at"}).select(KNOWN)
        for number in range((last - first) // HOUR):
            hour = first + number * HOUR
            if hour not in hours:
                yield self._of_raw(hour, hour + HOUR)


def stored_rows(warehouse: Engine, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
    """Read the warehouse's rows of a span, with the contract's columns."""
    for span in _days(start, end):
        yield rows_in(warehouse, *span)


def _days(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span into days from its start; only the last may be shorter."""
    while start < end:
        last = min(start + DAY, end)
        yield start, last
        start = last
