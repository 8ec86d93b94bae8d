"""Says what the lake's records of hours become when rows leave the lake, and objects leave raw."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
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
EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


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
        self._listed: dict[datetime, list[str]] = {}
        self._recorded: dict[datetime, bool] = {}
        self._deleted: dict[datetime, set[str]] = {}
        for key in leaving.keys:
            if (hour := hour_of(key)) is not None and records.get(hour) is not None:
                self._deleted.setdefault(hour, set()).add(key)
        for hour, keys in self._deleted.items():
            keys.intersection_update(self._keys(hour))
        self._repeats, self._rejects = self._repeats_and_rejects()

    def records(self) -> dict[datetime, Hour | None]:
        repeating = self._repeating()
        changed: dict[datetime, Hour | None] = {}
        for hour in sorted(self._lost | self._deleted.keys() | repeating):
            record = self._records.get(hour)
            if record is not None and (after := self._after(hour, record)) != record:
                changed[hour] = after
        return changed | dict.fromkeys(self._hours_with_new_firsts(repeating, changed))

    def _after(self, hour: datetime, record: Hour) -> Hour | None:
        rows, ids = (record.rows, record.ids)
        if hour in self._lost:
            rows, ids = self._leaving.counts.get(hour, NOTHING)
        after = replace(record, rows=rows, ids=ids)
        deleted = self._deleted.get(hour, set())
        if deleted or record.others:
            left = hash_of_names(self._staying(hour))
            if deleted and self._is_as_recorded(hour):
                after = replace(
                    after,
                    objects=record.objects - len(deleted),
                    repeats=record.repeats - self._repeats[hour],
                    rejects=record.rejects - self._rejects[hour],
                    keys=left,
                    modified_ns=None,  # the directory is about to change
                    others=_without(record.others, deleted),
                )
            elif record.keys != left:
                if deleted and len(self._keys(hour)) >= record.objects:
                    return None  # a late object waits
                after = replace(after, others=None)  # objects that are gone from raw may have been the person's
        after = replace(after, erased=after.objects - after.rows - after.repeats - after.rejects)
        return after if min(after.erased, after.repeats, after.rejects) >= 0 else None

    def _repeats_and_rejects(self) -> tuple[Counter[datetime], Counter[datetime]]:
        """Count the objects that leave, and were compacted as repeats or as rejects. The rest are rows, or erased."""
        leaving = [key for hour, keys in self._deleted.items() if self._is_as_recorded(hour) for key in keys]
        rows, rejects = self._projected(leaving)
        others = rows.join(self._leaving.rows, KEY, how="anti")
        if not others.is_empty():
            others = others.filter(pl.col(ID).is_in(self._leaving.known(others[ID]).implode()))
        return _by_hour(others[KEY]), _by_hour(rejects)

    def _repeating(self) -> set[datetime]:
        """Find the hours whose repeats may be of events whose rows leave."""
        names = {hour.strftime(HOUR_TEXT) for hour in self._lost}
        return {
            hour
            for hour, record in self._records.hours.items()
            if record.repeats and (hour in self._lost or names.intersection(record.first_in))
        }

    def _hours_with_new_firsts(
        self, repeating: Iterable[datetime], changed: Mapping[datetime, Hour | None]
    ) -> set[datetime]:
        """Find the hours with another object of an event whose row leaves: the event gets that as its row."""
        recorded = self._records.hours | {hour: record for hour, record in changed.items() if record is not None}
        keys = chain.from_iterable(map(self._not_rows, repeating))
        rows, _ = self._projected(keys)
        others = rows.join(self._leaving.rows, KEY, how="anti").join(self._leaving.rows, ID, how="semi")
        # Where raw has expired, the rows stay.
        return {hour for hour in _by_hour(others[KEY]) if len(self._staying(hour)) >= recorded[hour].objects}

    def _not_rows(self, hour: datetime) -> Iterable[str]:
        """Name the objects of an hour that stay, and may be repeats: a few, if the record names them."""
        record = self._records.get(hour)
        if record is None or record.others is None or not self._is_as_recorded(hour):
            return self._staying(hour)
        return {prefix_of(hour) + name for name in record.others} - self._deleted.get(hour, set())

    def _staying(self, hour: datetime) -> set[str]:
        return set(self._keys(hour)) - self._deleted.get(hour, set())

    def _is_as_recorded(self, hour: datetime) -> bool:
        """Whether raw has exactly the objects that were compacted."""
        if hour not in self._recorded:
            record = self._records.get(hour)
            self._recorded[hour] = record is not None and record.keys == hash_of_names(self._keys(hour))
        return self._recorded[hour]

    def _keys(self, hour: datetime) -> list[str]:
        if hour not in self._listed:
            (folders,) = self._opened.folders([prefix_of(hour)])
            self._listed[hour] = [folder.prefix + name for folder in folders for name in folder.names]
        return self._listed[hour]

    def _projected(self, keys: Iterable[str]) -> tuple[pl.DataFrame, list[str]]:
        """Read objects: key and event id of each event, and the keys of the objects that are not events."""
        columns = [column for column in COLUMNS if column.name == ID]
        # No time is read.
        projection = Projection((), lambda _: EPOCH_MOMENT, columns)
        frames: list[pl.DataFrame] = [pl.DataFrame(schema=projection.schema)]
        rejects: list[str] = []
        for batch in batches(self._opened.read(_folders(keys))):
            rows, corrupt = projection.rows(batch)
            frames.append(rows)
            rejects += [key for key, _ in corrupt]
        return pl.concat(frames), rejects


def _by_hour(keys: Iterable[str]) -> Counter[datetime]:
    return Counter(hour for key in keys if (hour := hour_of(key)) is not None)


def _without(names: tuple[str, ...] | None, keys: Collection[str]) -> tuple[str, ...] | None:
    """Leave out the names of some objects."""
    gone = {key.rpartition("/")[2] for key in keys}
    return None if names is None else tuple(name for name in names if name not in gone)


def _folders(keys: Iterable[str]) -> list[Folder]:
    names: dict[str, list[str]] = {}
    for key in sorted(keys):
        folder, _, name = key.rpartition("/")
        names.setdefault(f"{folder}/", []).append(name)
    return [Folder(prefix, found) for prefix, found in names.items()]
