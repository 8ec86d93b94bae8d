"""Reads the objects and rows that are judged, a day at a time: what other stores of events can give is given here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import polars as pl

from analysis.checks.validation.evidence.describing import ODD, describe, describing_projection, from_fields
from analysis.checks.validation.objects import DROPS, KNOWN, ROW, SCHEMA
from analysis.checks.validation.warehouse.rows import rows_in
from analysis.engines.protocol import Engine
from analysis.lake.derived import SOURCES
from analysis.lake.reading.compacted import Compacted
from analysis.lake.reading.scans import Damage
from analysis.lake.reading.window import Window
from analysis.lake.schema import EVENT_COLUMNS, PARTITION_HOUR
from analysis.raw.objects import Batch, batches, objects_below
from analysis.raw.partitions import Folder, covering_hours, hour_of, hour_prefixes, prefix_of
from analysis.raw.source import Source, open_source
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import KEY
from analysis.rows.oddities.evidence import ADDRESS, ODDITIES, Evidence, read_oddities
from analysis.rows.projection import Decoded
from analysis.rows.reader import read_hours
from analysis.rows.selection import ORDER
from analysis.rows.taken import Taken
from command_line.progress import progress

__all__ = ["Described", "Known", "stored_rows"]

DAY = timedelta(hours=24)  # that is read at once
HOUR = timedelta(hours=1)
HOURS = DAY // HOUR
KNOWN_COLUMNS = {SENT_AT.name if name == "sent_at" else name: kind for name, kind in SCHEMA.items() if name in KNOWN}
FIELDS = (KEY, "received_at", "sent_event_timestamp", "tab_id", "seq")
# Of the lake, from which the columns of SCHEMA follow.
STORED = {
    SENT_AT.name: SCHEMA["sent_at"],
    **{
        name: EVENT_COLUMNS[name]
        for name in (
            *(KEY, PARTITION_HOUR, *ROW, "sent_event_id", "received_at", "tab_id", "seq", *DROPS),
            *("publisher_name", "publisher_version", "user_agent", ADDRESS, ODDITIES),
        )
    },
}


class Described:
    """Describes objects, with the columns of SCHEMA: from the lake where it has their evidence.

    Args:
        source: The raw bucket.
        price_decimals: How many decimals the prices keep.
        compacted: The lake, if there is one. Then `source_ip` is the keyed hash of an address everywhere.
        taken: Takes the hours that are read from raw.

    Attributes:
        lake_hours: How many hours the lake gave.
    """

    def __init__(
        self, source: Source, price_decimals: int, compacted: Compacted | None = None, taken: Taken | None = None
    ) -> None:
        self._source, self._price_decimals, self._compacted = source, price_decimals, compacted
        self._taken, self._projection = taken, describing_projection(source.last_modified, price_decimals)
        self._evidence = None if compacted is None else Evidence.read(compacted.location.store)
        self._window: Window | None = None
        self.lake_hours = 0

    def of(self, prefixes: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Describe the objects of some hours, which follow each other."""
        others: list[Folder] = []
        with progress("reading hours", len(prefixes)) as advance:
            for first in range(0, len(prefixes), HOURS):
                day = prefixes[first : first + HOURS]
                found = self._of_lake(prefixes, day)
                if found is not None:
                    self.lake_hours += len(found.prefixes)
                    others += found.others
                    yield found.rows
                rest = day if found is None else [prefix for prefix in day if prefix not in found.prefixes]
                yield from self._of_raw(objects_below(self._source, rest), self._take)
                if self._taken is not None:
                    self._taken.prefixes.update(rest)
                advance(len(day))
        yield from self._of_raw(self._source.read(others))

    def address_of(self, sender: str, key: str) -> str | None:
        """Give the address that `source_ip` stands for; `key` is an object that came from it."""
        if self._evidence is None:
            return sender
        folder, _, name = key.rpartition("/")
        found = describe(self._source.read([Folder(f"{folder}/", [name])]), self._source.last_modified)
        return None if found.is_empty() else found["source_ip"].item()

    def _take(self, batch: Batch, decoded: Decoded) -> None:
        if self._taken is not None:
            self._taken.add(*self._projection.completed(batch, decoded))

    def _of_raw(
        self, objects: Iterable[tuple[str, bytes]], also: Callable[[Batch, Decoded], object] | None = None
    ) -> Iterator[pl.DataFrame]:
        last_modified = self._source.last_modified
        for keys, bodies in batches(objects):
            found = describe(zip(keys, bodies, strict=True), last_modified, self._price_decimals, also)
            yield found if self._evidence is None else found.with_columns(self._evidence.hashes(found["source_ip"]))

    def _of_lake(self, prefixes: Sequence[str], day: Sequence[str]) -> "_OfLake | None":
        """Describe the objects of a day that are rows, and name the few others of the same hours.

        Args:
            prefixes: The partitions that are described, one of which may be damaged at any time.
            day: Some of them.
        """
        while self._compacted is not None and self._evidence is not None:
            if self._window is None:
                first, last = (hour_of(f"{prefix}x") for prefix in (prefixes[0], prefixes[-1]))
                assert first is not None and last is not None  # noqa: S101, PT018  # partitions
                span = first, last + HOUR
                self._window = self._compacted.window(*span, since=first, rejects_of=span, repeats=True)
            given = [prefix for prefix in day if self._gives(self._window, prefix)]
            try:
                rows = _described(self._window.frame(given, STORED))
                return _OfLake(rows, frozenset(given), self._window.leftover(given))
            except Damage:
                self._window = None
            except ValueError:  # another program wrote the evidence
                return None
        return None

    def _gives(self, window: Window, prefix: str) -> bool:
        hour = hour_of(f"{prefix}x")
        record = window.records.get(hour) if hour is not None and hour not in window.without_receipt else None
        return record is not None and self._evidence is not None and record.evidence == self._evidence.mark


class _OfLake(NamedTuple):
    """The rows of some partitions, with the columns of SCHEMA, and their objects that are not rows."""

    rows: pl.DataFrame
    prefixes: frozenset[str]
    others: Sequence[Folder]


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    """Give rows of the lake, with the columns STORED, the columns of SCHEMA. Raises ValueError for other evidence."""
    odd = read_oddities(rows[ODDITIES])
    lists = pl.DataFrame(
        {ODDITIES: odd.keys(), **{name: [getattr(each, name) for each in odd.values()] for name in ODD}},
        {ODDITIES: pl.String, **{name: SCHEMA[name] for name in ODD}},
    )
    nothing = (pl.col(name).fill_null(pl.lit([], SCHEMA[name])) for name in ODD)
    whole = rows.join(lists, ODDITIES, how="left", maintain_order="left").with_columns(*nothing)
    named = whole.rename({PARTITION_HOUR: "partition", ADDRESS: "source_ip"})
    return from_fields(named).select(*SCHEMA)


class Known:
    """Reads objects that are only compared with others, with the columns KNOWN: from the lake where it has them.

    Args:
        source: The raw bucket.
        price_decimals: How many decimals the prices keep.
        compacted: The lake, if there is one.
        taken: Takes the hours that are read from raw.

    Attributes:
        lake_hours: How many hours the lake gave.
    """

    def __init__(
        self,
        source: str | Path,
        price_decimals: int,
        compacted: Compacted | None = None,
        taken: Taken | None = None,
    ) -> None:
        self._source, self._price_decimals, self._compacted = source, price_decimals, compacted
        self._taken = taken
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
            fields=FIELDS if self._taken is None else (*FIELDS, ORDER, *SOURCES),
            keep_duplicates=True,
            on_error="report" if self._taken is None else self._taken.on_error,
            price_decimals=self._price_decimals,
        )
        if self._taken is not None:
            self._taken.add(read.frame, read.corrupt.rows())
            self._taken.unreadable.update(read.unreadable.rows())
            self._taken.prefixes.update(hour_prefixes(first, last))
        return read.frame.rename({"sent_event_timestamp": "sent_at"}).select(KNOWN)

    def _of_lake(self, first: datetime, last: datetime) -> Iterator[pl.DataFrame]:
        """Read a day: an hour with objects that have no receipt comes from raw, and so do objects that are not rows."""
        found = None
        while found is None and self._compacted is not None:
            window = self._compacted.window(first, last, since=first, repeats=True)
            hours = sorted(window.records.keys() - window.without_receipt)
            with suppress(Damage):
                found = window.frame(map(prefix_of, hours), KNOWN_COLUMNS)
                others = window.leftover(map(prefix_of, hours))
        if found is not None:
            self.lake_hours += len(hours)
            yield found.rename({SENT_AT.name: "sent_at"}).select(KNOWN)
            source = open_source(self._source, lambda *_: None)
            rest = describe(source.read(others), source.last_modified, self._price_decimals)
            yield rest.filter(pl.col("corrupt").is_null()).select(KNOWN)
        every = [first + number * HOUR for number in range((last - first) // HOUR)]
        for is_given, some in groupby(every, set(hours).__contains__):
            if not is_given:
                missing = list(some)
                yield self._of_raw(missing[0], missing[-1] + HOUR)


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
