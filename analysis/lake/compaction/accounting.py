"""Accounts for every object of the hours that are compacted, and for the rows that other hours lose by that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from analysis.errors import AnalysisError
from analysis.lake.compaction.events import HourObjects
from analysis.lake.compaction.merging import FIRST_HOUR, Merge
from analysis.lake.files import Count
from analysis.lake.hours import Hour, hash_of_names
from analysis.lake.schema import LAKE_VERSION, PARTITION_HOUR
from analysis.raw.partitions import prefix_of
from analysis.rows.fields import KEY

__all__ = ["NO_ROWS", "changed_records", "named", "records_of"]

MOST_OTHERS = 200
NO_ROWS = Count(0, hash_of_names(()))


def records_of(
    hours: Sequence[datetime], read: HourObjects, events: Merge, modified: dict[datetime, int | None], evidence: str
) -> dict[datetime, Hour]:
    """Account for every object of the hours.

    Args:
        hours: The hours, UTC.
        read: What they hold.
        events: The commit that is ready.
        modified: When the directory of each hour changed last, before it was read.
        evidence: The mark of the evidence that their rows have.

    Raises:
        AnalysisError: An object is unaccounted for.
    """
    repeats = events.repeats.partition_by(PARTITION_HOUR, as_dict=True)
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    records = {}
    for hour in hours:
        rows, ids = events.counts.get(hour, NO_ROWS)
        own = repeats.get((hour,), events.repeats.clear())
        records[hour] = record = Hour(
            objects=len(read.keys[hour]),
            rows=rows,
            repeats=own.height,
            rejects=len(read.rejected[hour]),
            erased=read.erased[hour],
            ids=ids,
            keys=hash_of_names(read.keys[hour]),
            compacted_at=at,
            version=LAKE_VERSION,
            modified_ns=modified[hour],
            first_in=named(set(own[FIRST_HOUR]) - {hour}),
            others=_others(hour, read, own[KEY]),
            evidence=evidence,
        )
        if not record.adds_up:
            raise AnalysisError(f"the rows of {hour} do not add up to its objects, so it was not compacted: {record}")
    return records


def changed_records(
    recorded: Mapping[datetime, Hour], hours: Sequence[datetime], events: Merge
) -> dict[datetime, Hour]:
    """Give the records of the other hours whose rows the commit changes."""
    changed = {}
    for hour in events.gave_way.keys() | events.erased.keys():
        if (record := recorded.get(hour)) is not None:
            rows, ids = events.counts.get(hour, NO_ROWS)
            changed[hour] = replace(
                record,
                rows=rows,
                ids=ids,
                repeats=record.repeats + events.gave_way[hour],
                erased=record.erased + events.erased[hour],
                first_in=tuple(sorted({*record.first_in, *named(hours)})) if events.gave_way[hour] else record.first_in,
                others=None,
            )
    return changed


def _others(hour: datetime, read: HourObjects, repeated: pl.Series) -> tuple[str, ...] | None:
    """Name the objects of an hour that are not rows. The keys of erased people are recorded nowhere."""
    keys = [*read.rejected[hour], *repeated]
    prefix = prefix_of(hour)
    names = [key.removeprefix(prefix) for key in keys]
    if read.erased[hour] or len(names) > MOST_OTHERS or any("/" in name for name in names):
        return None
    return tuple(sorted(names))


def named(hours: Iterable[datetime]) -> tuple[str, ...]:
    """Write hours as records name them, in order."""
    return tuple(sorted(f"{hour:%Y-%m-%dT%H}" for hour in hours))
