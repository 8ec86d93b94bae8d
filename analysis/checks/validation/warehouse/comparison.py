"""Compares the events of a range with the warehouse, as of one instant."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from analysis.checks.validation.evidence.parts import Parts, together
from analysis.checks.validation.evidence.spool import Rows
from analysis.checks.validation.finding import Check
from analysis.checks.validation.objects import KNOWN, SCHEMA
from analysis.checks.validation.warehouse.agreement import agreement_check
from analysis.checks.validation.warehouse.rows import (
    altered_check,
    altered_rows,
    missing_check,
    orphan_check,
    rows_of,
)
from analysis.checks.validation.warehouse.search import search
from analysis.engines.protocol import Engine
from analysis.raw.partitions import hour_of, hour_prefixes
from analysis.raw.source import open_source

__all__ = ["Comparison", "Evidence", "compare"]

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Evidence:
    """What was read before raw and the warehouse are compared.

    Attributes:
        source: The raw bucket.
        start: The start of the range, aware.
        end: Its end, or the instant up to which events are judged if that is earlier.
        cut: The instant up to which events are judged: later ones may still be on their way.
        prefixes: The partitions whose objects were read, those before the range included.
        strays: Prefixes below which objects of the range may lie too.
        rows: The rows of the range, read before the objects: each of them has its object by then.
        objects: The events of the range and of the hours before it, duplicates included, with the columns KNOWN.
        events: The events of the range that are judged.
        others: Those of people who were not erased: only these need a row.
        unreadable: Keys and prefixes that may not be read: a row of their hours may come from one of these objects.
        price_decimals: How many decimals the warehouse's prices keep.
    """

    source: str | Path
    start: datetime
    end: datetime
    cut: datetime
    prefixes: Sequence[str]
    strays: Sequence[str]
    rows: Parts
    objects: Parts
    events: Parts
    others: Parts
    unreadable: frozenset[str] = frozenset()
    price_decimals: int = 0

    @property
    def is_readable(self) -> pl.Expr:
        """Whether a row is of an hour in which every object could be read."""
        unread = [hour for hour in map(hour_of, self.unreadable) if hour is not None]
        return ~pl.col("event_timestamp").dt.truncate("1h").is_in(unread)


@dataclass(frozen=True)
class Comparison:
    """What the comparison found.

    Attributes:
        checks: The checks of rows, and that of metrics if the rows agree.
        young: The keys of events that were stored after the cut although they were received before it; they are not
            judged.
        lacking: The ids of the events that have no row.
        orphans: The rows without an object, with the contract's columns.
        elsewhere: The objects of rows of the range that lie in other hours, with the columns of SCHEMA.
    """

    checks: list[Check]
    young: pl.Series
    lacking: pl.Series
    orphans: pl.DataFrame
    elsewhere: pl.DataFrame


class _Differences(NamedTuple):
    """How the rows and the objects of some events differ."""

    missing: pl.DataFrame
    lacking: pl.DataFrame
    orphans: pl.DataFrame
    objects: pl.DataFrame  # of altered rows
    rows: pl.DataFrame  # that are altered


def compare(evidence: Evidence, warehouse: Engine, further: Rows) -> Comparison:
    """Compare raw with the warehouse, some events at a time.

    Args:
        evidence: What was read.
        warehouse: The warehouse.
        further: Takes the rows of events of the range that have another time.

    Raises:
        AnalysisError: Raw or the warehouse cannot be read.
    """
    differences = list(_differences(evidence, warehouse, further))
    missing, lacking, orphans, objects, rows = map(pl.concat, zip(*differences, strict=True))
    missing = missing.sort("event_timestamp", "key")
    is_young = pl.Series(_are_young(evidence, missing["key"]), dtype=pl.Boolean)
    young, missing = missing.filter(is_young), missing.filter(~is_young)
    elsewhere = _elsewhere(evidence, orphans)
    found = elsewhere.select(KNOWN)
    known, rows = pl.concat([objects, found]), pl.concat([rows, orphans.join(found, on="event_id", how="semi")])
    orphans = orphans.join(found, on="event_id", how="anti")
    checks = [
        missing_check(missing, evidence.others),
        orphan_check(orphans),
        altered_check(_altered(evidence, known, rows)),
    ]
    # If objects cannot be read, or rows are missing, surplus or altered, metrics differ for that reason alone.
    if not evidence.unreadable and not any(check.findings for check in checks):
        parts = together("event_id", evidence.objects + Parts.of(found), evidence.rows + further.parts())
        pairs = ((objects, rows) for objects, rows in parts)
        checks.append(agreement_check(warehouse, pairs, evidence.start, evidence.end))
    return Comparison(checks, young["key"], lacking["event_id"], orphans, elsewhere)


def _differences(evidence: Evidence, warehouse: Engine, further: Rows) -> Iterator[_Differences]:
    """Compare some events after the other, each with all of its objects and rows."""
    names = ("event_id", "event_timestamp", "key")
    judged = (events.select(*names) for events in (evidence.events, evidence.others))
    for part, objects, events, others in together("event_id", evidence.rows, evidence.objects, *judged):
        found = rows_of(warehouse, events.join(part, on="event_id", how="anti")["event_id"])
        further.add(found)
        rows = pl.concat([part, found])
        altered = altered_rows(objects, rows)
        yield _Differences(
            missing=others.join(rows, on="event_id", how="anti"),
            lacking=events.join(rows, on="event_id", how="anti").select("event_id"),
            orphans=part.filter(evidence.is_readable).join(objects, on="event_id", how="anti"),
            objects=objects.join(altered, on="event_id", how="semi"),
            rows=rows.join(altered, on="event_id", how="semi"),
        )


def _are_young(evidence: Evidence, keys: pl.Series) -> list[bool]:
    """Say of each object whether it was stored after the cut, or is gone by now."""
    source = open_source(evidence.source, lambda *_: None)
    prefixes = sorted({f"{key.rpartition('/')[0]}/" for key in keys})
    # S3 says when an object was stored as it lists it.
    folders = [folder for found in source.folders(prefixes) for folder in found]
    listed = {f"{folder.prefix}{name}" for folder in folders for name in folder.names}
    return [key not in listed or source.last_modified(key) >= evidence.cut for key in keys]


def _elsewhere(evidence: Evidence, orphans: pl.DataFrame) -> pl.DataFrame:
    """Look for the objects of rows without one in the other hours, the nearest first."""
    if orphans.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    others = set(open_source(evidence.source).hours()).difference(evidence.prefixes)
    nearest = sorted(others, key=lambda prefix: _distance(prefix, evidence.start, evidence.end))
    return search(evidence.source, orphans["event_id"], [*evidence.strays, *nearest], evidence.price_decimals)


def _distance(prefix: str, start: datetime, end: datetime) -> timedelta:
    hour = hour_of(prefix) or start
    return max(start - hour, hour - end)


def _altered(evidence: Evidence, objects: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Find altered rows among rows and all of their objects that were read.

    A row of another hour may be that of an object there, so these hours are read first.
    """
    altered = altered_rows(objects, rows)
    hours = rows.join(altered, on="event_id", how="semi")["event_timestamp"].dt.truncate("1h").unique().sort()
    unread = [prefix for prefix in _prefixes(hours) if prefix not in evidence.prefixes]
    if not unread:
        return altered
    found = search(evidence.source, altered["event_id"], unread, evidence.price_decimals)
    return altered_rows(pl.concat([objects, found.select(KNOWN)]), rows.join(altered, on="event_id", how="semi"))


def _prefixes(hours: Iterable[datetime]) -> list[str]:
    return [prefix for hour in hours for prefix in hour_prefixes(hour, hour + HOUR)]
