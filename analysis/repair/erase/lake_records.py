"""Says what the lake's records of hours become when rows leave the lake, and objects leave raw."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from analysis.lake.files import Count
from analysis.lake.hours import Hour, Records, hash_of_names
from analysis.lake.schema import PARTITION_HOUR
from analysis.raw.objects import batches
from analysis.raw.partitions import Folder, hour_of, prefix_of
from analysis.raw.source import Source, open_source
from analysis.rows.fields import KEY
from analysis.rows.projection import Projection
from chalicelib.contract import COLUMNS

__all__ = ["Leaving", "records_after"]

HOUR_TEXT = "%Y-%m-%dT%H"
NOTHING = Count(0, hash_of_names(()))
ID = "event_id"


@dataclass(frozen=True)
class Leaving:
    """What is about to leave.

    Attributes:
        rows: `event_id`, `key` and `partition_hour` of the rows that leave the table of events.
        counts: Rows and ids of each hour that loses rows, as they will be; none for an hour that loses all.
        keys: The keys of the objects that leave raw.
        known: Gives those of some event ids that the table of events has now.
    """

    rows: pl.DataFrame
    counts: Mapping[datetime, Count]
    keys: Collection[str]
    known: Callable[[pl.Series], pl.Series]


def records_after(records: Records, source: str | Path, leaving: Leaving) -> dict[datetime, Hour | None]:
    """Give each record that changes. Raw still has the objects.

    An hour stays valid. It loses its record, and so is compacted again, if it is about to be compacted again anyway, or
    if another of its objects becomes the first of an event.

    Args:
        records: The records as they are.
        source: The raw bucket.
        leaving: What is about to leave.
    """
    return _Change(records, open_source(source), leaving).records()


class _Change:
    def __init__(self, records: Records, opened: Source, leaving: Leaving) -> None:
        self._records = records
        self._opened = opened
        self._leaving = leaving
        self._lost = set(leaving.rows[PARTITION_HOUR])
        self._deleted: dict[datetime, set[str]] = {}
        for key in leaving.keys:
            if (hour := hour_of(key)) is not None:
                self._deleted.setdefault(hour, set()).add(key)

    def records(self) -> dict[datetime, Hour | None]:
        changed = {
            hour: self._after(hour, record)
            for hour in sorted(self._lost | self._deleted.keys())
            if (record := self._records.get(hour)) is not None
        }
        return changed | dict.fromkeys(self._hours_with_new_firsts(changed))

    def _after(self, hour: datetime, record: Hour) -> Hour | None:
        rows, ids = (record.rows, record.ids)
        if hour in self._lost:
            rows, ids = self._leaving.counts.get(hour, NOTHING)
        after = replace(record, rows=rows, ids=ids)
        there = self._keys(hour)
        deleted = self._deleted.get(hour, set()).intersection(there)
        left = hash_of_names(set(there) - deleted)
        if deleted and record.keys == hash_of_names(there):
            repeats, rejects = self._repeats_and_rejects(deleted)
            after = replace(
                after,
                objects=record.objects - len(deleted),
                repeats=record.repeats - repeats,
                rejects=record.rejects - rejects,
                keys=left,
                modified_ns=None,  # the directory is about to change
            )
        elif deleted and record.keys != left and len(there) >= record.objects:
            return None  # a late object waits
        after = replace(after, erased=after.objects - after.rows - after.repeats - after.rejects)
        return after if min(after.erased, after.repeats, after.rejects) >= 0 else None

    def _repeats_and_rejects(self, keys: Collection[str]) -> tuple[int, int]:
        """Count the objects that were compacted as repeats or as rejects. The rest are rows, or of erased people."""
        rows, rejects = self._projected(_folders(keys))
        others = rows.join(self._leaving.rows, KEY, how="anti")
        if others.is_empty():
            return 0, rejects
        return others.filter(pl.col(ID).is_in(self._leaving.known(others[ID]).implode())).height, rejects

    def _hours_with_new_firsts(self, changed: Mapping[datetime, Hour | None]) -> list[datetime]:
        """Find the hours with another object of an event whose row leaves: the event gets that as its row."""
        names = {hour.strftime(HOUR_TEXT) for hour in self._lost}
        recorded = self._records.hours | {hour: record for hour, record in changed.items() if record is not None}
        repeating = [
            hour
            for hour, record in recorded.items()
            if record.repeats and (hour in self._lost or names.intersection(record.first_in))
        ]
        found = []
        for hour in repeating:
            staying = set(self._keys(hour)) - self._deleted.get(hour, set())
            if len(staying) < recorded[hour].objects:
                continue  # raw has expired, and the rows stay
            rows, _ = self._projected(_folders(staying))
            others = rows.join(self._leaving.rows, KEY, how="anti")
            if others[ID].is_in(self._leaving.rows[ID].implode()).any():
                found.append(hour)
        return found

    def _keys(self, hour: datetime) -> list[str]:
        (folders,) = self._opened.folders([prefix_of(hour)])
        return [folder.prefix + name for folder in folders for name in folder.names]

    def _projected(self, folders: Iterable[Folder]) -> tuple[pl.DataFrame, int]:
        """Read objects: key and event id of each event, and how many are not events."""
        columns = [column for column in COLUMNS if column.name == ID]
        projection = Projection((), self._opened.last_modified, columns)
        frames, rejects = [pl.DataFrame(schema=projection.schema)], 0
        for batch in batches(self._opened.read(folders)):
            rows, corrupt = projection.rows(batch)
            frames.append(rows)
            rejects += len(corrupt)
        return pl.concat(frames), rejects


def _folders(keys: Iterable[str]) -> list[Folder]:
    names: dict[str, list[str]] = {}
    for key in sorted(keys):
        folder, _, name = key.rpartition("/")
        names.setdefault(f"{folder}/", []).append(name)
    return [Folder(prefix, found) for prefix, found in names.items()]
