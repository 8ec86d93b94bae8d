"""Compares the events of a range with the warehouse, as of one instant."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

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
        stored_at: Gives the LastModified of a key of the range.
        unreadable: Keys and prefixes that may not be read: a row of their hours may come from one of these objects.
        price_decimals: How many decimals the warehouse's prices keep.
    """

    source: str | Path
    start: datetime
    end: datetime
    cut: datetime
    prefixes: Sequence[str]
    strays: Sequence[str]
    rows: pl.DataFrame
    objects: pl.DataFrame
    events: pl.DataFrame
    stored_at: Callable[[str], datetime]
    unreadable: frozenset[str] = frozenset()
    price_decimals: int = 0

    @property
    def readable(self) -> pl.DataFrame:
        """The rows of hours in which every object could be read."""
        unread = [hour for hour in map(hour_of, self.unreadable) if hour is not None]
        return self.rows.filter(~pl.col("event_timestamp").dt.truncate("1h").is_in(unread))


@dataclass(frozen=True)
class Comparison:
    """What the comparison found.

    Attributes:
        checks: The checks of rows, and that of metrics if the rows agree.
        young: Events that were stored after the cut although they were received before it; they are not judged.
        event_ids: The ids of the events that have a row.
        orphans: The rows without an object, with the contract's columns.
        elsewhere: The objects of rows of the range that lie in other hours, with the columns of SCHEMA.
    """

    checks: list[Check]
    young: pl.DataFrame
    event_ids: pl.Series
    orphans: pl.DataFrame
    elsewhere: pl.DataFrame


def compare(evidence: Evidence, warehouse: Engine, others: pl.DataFrame) -> Comparison:
    """Compare raw with the warehouse.

    Args:
        evidence: What was read.
        warehouse: The warehouse.
        others: The events of people who were not erased: only these need a row.

    Raises:
        AnalysisError: Raw or the warehouse cannot be read.
    """
    lacking = evidence.events.join(evidence.rows, on="event_id", how="anti")
    rows = pl.concat([evidence.rows, rows_of(warehouse, lacking["event_id"])])
    missing = others.join(rows, on="event_id", how="anti")
    is_young = [evidence.stored_at(key) >= evidence.cut for key in missing["key"]]
    young, missing = missing.filter(is_young), missing.filter([not young for young in is_young])
    elsewhere = _elsewhere(evidence)
    known = pl.concat([evidence.objects, elsewhere.select(KNOWN)])
    orphans = evidence.readable.join(known, on="event_id", how="anti")
    checks = [
        missing_check(missing, others),
        orphan_check(orphans),
        altered_check(_altered(evidence, known, rows)),
    ]
    # If objects cannot be read, or rows are missing, surplus or altered, metrics differ for that reason alone.
    if not evidence.unreadable and not any(check.findings for check in checks):
        checks.append(agreement_check(warehouse, known, rows, evidence.start, evidence.end))
    return Comparison(checks, young, rows["event_id"], orphans, elsewhere)


def _elsewhere(evidence: Evidence) -> pl.DataFrame:
    """Look for the objects of rows without one in the other hours, the nearest first."""
    orphans = evidence.readable.join(evidence.objects, on="event_id", how="anti")
    if orphans.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    others = set(open_source(evidence.source).hours()).difference(evidence.prefixes)
    nearest = sorted(others, key=lambda prefix: _distance(prefix, evidence.start, evidence.end))
    return search(evidence.source, orphans["event_id"], [*evidence.strays, *nearest], evidence.price_decimals)


def _distance(prefix: str, start: datetime, end: datetime) -> timedelta:
    hour = hour_of(prefix) or start
    return max(start - hour, hour - end)


def _altered(evidence: Evidence, objects: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Find altered rows. A row of another hour may be that of an object there, so these hours are read first."""
    altered = altered_rows(objects, rows)
    hours = rows.join(altered, on="event_id", how="semi")["event_timestamp"].dt.truncate("1h").unique().sort()
    unread = [prefix for prefix in _prefixes(hours) if prefix not in evidence.prefixes]
    if not unread:
        return altered
    found = search(evidence.source, altered["event_id"], unread, evidence.price_decimals)
    return altered_rows(pl.concat([objects, found.select(KNOWN)]), rows.join(altered, on="event_id", how="semi"))


def _prefixes(hours: Iterable[datetime]) -> list[str]:
    return [prefix for hour in hours for prefix in hour_prefixes(hour, hour + HOUR)]
