"""Finds the hours of a raw bucket that the lake can stand in for, and reads them: they hold what raw holds now."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from analysis.errors import AnalysisError, LakeWarning
from analysis.lake.hours import Hour, Records, hash_of_names, modified_ns
from analysis.lake.location import Location, NoLake, location_of
from analysis.lake.reading.scans import Damage, connect, planned, relation_of, watching
from analysis.lake.reading.window import Window
from analysis.lake.schema import LAKE_VERSION, PARTITION_HOUR
from analysis.lake.tables import BUCKET, Tables, read_tables
from analysis.raw.partitions import Folder, covering_hours, prefix_of
from analysis.raw.source import Source, bucket_of
from analysis.rows.selection import Selection

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyiceberg.table import FileScanTask

Span: TypeAlias = tuple[datetime, datetime]

__all__ = ["Compacted", "compacted_of"]

HOUR = timedelta(hours=1)
HOUR_TEXT = "%Y-%m-%dT%H"
LISTED = 24  # hours that are listed at once
COUNTS = f"""
SELECT {PARTITION_HOUR}, count(*), min(event_timestamp), max(event_timestamp), count(received_at)
FROM {{rows}}
GROUP BY {PARTITION_HOUR}
"""  # noqa: S608  # our own names


class _Count(NamedTuple):
    rows: int
    is_in_its_hour: bool
    is_received: bool


def compacted_of(source: str | Path, opened: Source, lake: str | bool, price_decimals: int) -> "Compacted | None":  # noqa: FBT001  # the argument of readers
    """Open the lake that may stand in for a raw bucket.

    Args:
        source: The raw bucket.
        opened: The same, open.
        lake: A directory or `glue`; True for the default lake, if there is one; False for none.
        price_decimals: The decimals that prices have to have.

    Returns:
        None if there is no such lake, or if the default one is that of another bucket.

    Raises:
        AnalysisError: The lake that is named is not there, or cannot stand in. The default lake only causes a warning.
    """
    if lake is False:
        return None
    if lake is not True:
        location = location_of(lake)
        return Compacted(source, opened, location, _tables(location, source, price_decimals))
    try:
        location = location_of()
        tables = _tables(location, source, price_decimals) if location.exists else None
    except (NoLake, _OtherBucket):
        tables = None
    except AnalysisError as error:
        warnings.warn(LakeWarning(f"raw is read without the lake: {error}"), stacklevel=2)
        tables = None
    return None if tables is None else Compacted(source, opened, location, tables)


class _OtherBucket(AnalysisError):
    """A lake holds the events of another bucket."""


def _tables(location: Location, source: str | Path, price_decimals: int) -> Tables:
    """Open the tables of a lake that has the events of a bucket, with prices of so many decimals."""
    tables = read_tables(location)
    if (bucket := tables.events.properties.get(BUCKET)) != bucket_of(source):
        raise _OtherBucket(f"the lake {location} holds the events of {bucket}, not of {bucket_of(source)}")
    if tables.price_decimals != price_decimals:
        raise AnalysisError(
            f"the prices in the lake {location} have {tables.price_decimals} decimals, and {price_decimals} are wanted"
        )
    return tables


class Compacted:
    """A lake, as it stands in for a raw bucket."""

    def __init__(self, source: str | Path, opened: Source, location: Location, tables: Tables) -> None:
        self.table = tables.events
        self.location = location
        self._source = source
        self._opened = opened
        self._damaged: set[str] = set()
        self._database = connect()

    def window(
        self, first: datetime, last: datetime, *, since: datetime, rejects_of: Span | None = None, repeats: bool = False
    ) -> "Window":
        """Find the hours from `first` to `last`, both whole hours in UTC, that hold what raw holds now.

        Such an hour has a record of this version, its directory has not changed since it was recorded (or, where no
        time says so, its keys are the recorded ones), and the table has as many rows of it as recorded. Rows of files
        that are damaged, or to which delete files belong, do not count.

        Args:
            first: The first hour.
            last: The hour after the last.
            since: The first moment of which every event is wanted. A repeat need not be read if its event was received
                first since then, in an hour that is valid and of which no row has another time.
            rejects_of: The hours whose rejects are wanted.
            repeats: Whether all repeats are wanted.
        """
        days = {(first + number * HOUR).date() for number in range((last - first) // HOUR)}
        records = {
            hour: record
            for hour, record in Records(self.location.store, sorted(days)).hours.items()
            if first <= hour < last and record.version == LAKE_VERSION and record.adds_up
        }
        unchanged = self._unchanged(records)
        while True:
            tasks = self._tasks(first, last)
            try:
                counts = self._counts(tasks)
                break
            except Damage:
                continue
        empty = _Count(0, is_in_its_hour=True, is_received=True)
        valid = {hour: records[hour] for hour in unchanged if counts.get(hour, empty).rows == records[hour].rows}
        odd = {hour for hour, count in counts.items() if not count.is_in_its_hour}
        without_receipt = frozenset(hour for hour in valid if not counts.get(hour, empty).is_received)
        others = frozenset(hour for hour in counts if first <= hour < last and hour not in valid)
        # Whether a row with another time belongs to a range depends on the range.
        known = {hour for hour in valid if hour >= since and hour not in odd}
        incomplete = _incomplete(valid, known, rejects_of or (since, since), repeats=repeats)
        return Window(self, first, last, tasks, valid, others, without_receipt, incomplete, is_in_order=not odd)

    def window_of(self, selection: Selection, *, repeats: bool = False) -> "Window":
        """Find the hours for a selection of events, as `window` does."""
        since, _ = selection.before
        _, until = selection.after
        first, last = covering_hours(since, max(since, until))
        here = covering_hours(selection.start, selection.end)
        return self.window(first, last, since=since, rejects_of=here, repeats=repeats)

    def connection(self) -> "DuckDBPyConnection":
        """Give another connection to a database in memory, to be closed after use."""
        return self._database.cursor()

    @contextmanager
    def watching(self, tasks: "Sequence[FileScanTask]") -> Iterator[None]:
        """Do as `scans.watching`. Warn of each damaged file, and leave it out of the windows that are found later."""
        try:
            with watching(self.table, tasks):
                yield
        except Damage as damage:
            self._damaged |= damage.files.keys()
            for path, reason in damage.files.items():
                text = (
                    f"{path} is damaged, so raw is read instead: run 'python -m analysis compact --verify' ({reason})"
                )
                warnings.warn(LakeWarning(text), stacklevel=2)
            raise

    def listed(self, hours: Sequence[datetime]) -> dict[datetime, list[Folder]]:
        """List the objects of some hours."""
        listed: dict[datetime, list[Folder]] = {}
        for start in range(0, len(hours), LISTED):
            some = hours[start : start + LISTED]
            listed |= zip(some, self._opened.folders([prefix_of(hour) for hour in some]), strict=True)
        return listed

    def _unchanged(self, records: Mapping[datetime, Hour]) -> set[datetime]:
        """Find the hours that have the objects that were compacted."""
        times = {
            hour: None if record.modified_ns is None else modified_ns(self._source, prefix_of(hour))
            for hour, record in records.items()
        }
        unchanged = {hour for hour, time in times.items() if time is not None and time == records[hour].modified_ns}
        unknown = sorted(hour for hour, time in times.items() if time is None)
        for hour, folders in self.listed(unknown).items():
            if hash_of_names(folder.prefix + name for folder in folders for name in folder.names) == records[hour].keys:
                unchanged.add(hour)
        return unchanged

    def _tasks(self, first: datetime, last: datetime) -> "list[FileScanTask]":
        found = planned(self.table, first, last)
        return [task for task in found if not task.delete_files and task.file.file_path not in self._damaged]

    def _counts(self, tasks: "Sequence[FileScanTask]") -> dict[datetime, _Count]:
        columns = (PARTITION_HOUR, "event_timestamp", "received_at")
        with self.connection() as connection, self.watching(tasks):
            relation = relation_of(connection, self.table, tasks, columns, "rows")
            rows = connection.sql(COUNTS.format(rows=relation)).fetchall()
        return {
            hour.astimezone(UTC): _Count(number, hour <= least and most < hour + HOUR, received == number)
            for hour, number, least, most, received in rows
        }


def _incomplete(
    records: Mapping[datetime, Hour], known: Iterable[datetime], rejects_of: Span, *, repeats: bool
) -> frozenset[datetime]:
    names = {f"{hour:{HOUR_TEXT}}" for hour in known}
    first, last = rejects_of
    return frozenset(
        hour
        for hour, record in records.items()
        if record.erased
        or (record.rejects and first <= hour < last)
        or (record.repeats and (repeats or not names.issuperset((f"{hour:{HOUR_TEXT}}", *record.first_in))))
    )
