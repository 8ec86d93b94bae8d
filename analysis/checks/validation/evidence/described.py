"""Reads the objects and rows that are judged, a day at a time: what other stores of events can give is given here."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from analysis.checks.validation.evidence.describing import describe
from analysis.checks.validation.objects import KNOWN
from analysis.checks.validation.warehouse.rows import rows_in
from analysis.engines.protocol import Engine
from analysis.raw.objects import day_batches
from analysis.raw.partitions import covering_hours
from analysis.raw.source import Source
from analysis.rows.fields import KEY
from analysis.rows.reader import read_hours

__all__ = ["described", "known", "stored_rows"]

DAY = timedelta(hours=24)  # that is read at once
FIELDS = (KEY, "received_at", "sent_event_timestamp", "tab_id", "seq")


def described(source: Source, prefixes: Sequence[str], price_decimals: int) -> Iterator[pl.DataFrame]:
    """Describe the objects of some hours, with the columns of SCHEMA, in the order in which they are read."""
    for keys, bodies in day_batches(source, prefixes):
        yield describe(zip(keys, bodies, strict=True), source.last_modified, price_decimals)


def known(source: str | Path, start: datetime, end: datetime, price_decimals: int) -> Iterator[pl.DataFrame]:
    """Read the objects of the hours of a span that are only compared with others, with the columns KNOWN."""
    for first, last in _days(*covering_hours(start, end)):
        read = read_hours(
            source,
            first,
            last,
            fields=FIELDS,
            keep_duplicates=True,
            on_error="report",
            price_decimals=price_decimals,
        )
        yield read.frame.rename({"sent_event_timestamp": "sent_at"}).select(KNOWN)


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
