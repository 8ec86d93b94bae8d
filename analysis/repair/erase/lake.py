"""Finds a person's rows in the lake, and deletes them: the files that hold them are written again without them."""

import random
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError

from analysis.errors import AnalysisError
from analysis.lake.files import Conflict, Count, Damaged, Files
from analysis.lake.hours import Records
from analysis.lake.location import Location, NoLake
from analysis.lake.orders import orders_of
from analysis.lake.schema import EVENT_COLUMNS, ORDER_COLUMNS, PARTITION_HOUR
from analysis.lake.tables import Tables, open_tables
from analysis.raw.tombstones import PEOPLE
from analysis.repair.erase.lake_files import purge
from analysis.repair.erase.lake_records import Leaving, records_after
from analysis.repair.erase.person import Erased, Person
from analysis.rows.fields import KEY
from command_line.progress import progress

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask

__all__ = ["InLake", "Search", "erase_from_lake", "look_into_lake"]

EVENT_ID = "event_id"
ORDER_ID = "order_id"
# A compaction of an hour takes seconds, and the first one of all hours takes longer.
PATIENCE = 600.0  # seconds
MOST_TRIES = 10
# Each holds the rows of one day.
WRITERS = 2
PLACED = (
    EVENT_ID,
    "event_name",
    "event_timestamp",
    "occurred_at",
    "order",
    *PEOPLE,
    "user_login_state",
    KEY,
    PARTITION_HOUR,
)


class InLake(NamedTuple):
    """How many rows of a person the lake has.

    Attributes:
        rows: Of events.
        orders: Of orders.
        mentions: Of both, which only mention the person.
        unfinished: How many files stay that may be of a writer that still runs, and may hold the person.
    """

    rows: int = 0
    orders: int = 0
    mentions: int = 0
    unfinished: int = 0

    def is_left(self, *, mentions: bool) -> bool:
        """Whether there are rows to delete; `mentions` counts the ones that only mention the person."""
        return bool(self.rows or self.orders or (mentions and self.mentions))


@dataclass(frozen=True)
class Search:
    """What is looked for: the rows of a person, and the rows of objects that are the person's.

    Attributes:
        whose: The person, or everybody who was erased before.
        own: The keys of the objects that are theirs.
        mentioning: The keys of the objects that only mention them.
    """

    whose: Person | Erased
    own: Collection[str] = ()
    mentioning: Collection[str] = ()

    def rows_in(self, rows: pl.DataFrame) -> pl.Expr:
        """Tell their own rows."""
        return self.whose.owns(rows) | _has_key(self.own)

    def mentions_in(self, rows: pl.DataFrame) -> pl.Expr:
        """Tell the rows that hold one of their ids in any text, and are not their own."""
        texts = [name for name, kind in rows.schema.items() if kind == pl.String()]
        return ~self.rows_in(rows) & (self.whose.is_in(texts) | _has_key(self.mentioning))

    def chosen_in(self, rows: pl.DataFrame, *, mentions: bool) -> pl.Expr:
        """Tell the rows to delete."""
        return self.rows_in(rows) | self.mentions_in(rows) if mentions else self.rows_in(rows)

    def columns(self, files: Files, *, mentions: bool) -> tuple[str, ...]:
        """The columns that have to be read to tell them."""
        schema = EVENT_COLUMNS if files.id == EVENT_ID else ORDER_COLUMNS
        texts = mentions and isinstance(self.whose, Person)
        needed = {*PEOPLE, KEY} if self.own or self.mentioning else {*PEOPLE}
        return tuple(name for name, kind in schema.items() if name in needed or (texts and kind == pl.String()))


def look_into_lake(location: Location, search: Search) -> InLake | None:
    """Count a person's rows in the lake, and change nothing.

    Returns:
        None if there is no lake.

    Raises:
        AnalysisError: The lake cannot be read.
    """
    counts = dict.fromkeys((EVENT_ID, ORDER_ID), 0)
    mentions = 0
    try:
        with _errors(location):
            for files in _both(open_tables(location)):
                columns = search.columns(files, mentions=True)
                for rows in _each(files, columns):
                    counts[files.id] += rows.filter(search.rows_in(rows)).height
                    mentions += rows.filter(search.mentions_in(rows)).height
    except NoLake:
        return None
    return InLake(counts[EVENT_ID], counts[ORDER_ID], mentions)


def erase_from_lake(location: Location, source: str | Path, search: Search, *, mentions: bool) -> int:
    """Delete a person's rows from the lake, and every file that held them.

    It may be stopped at any moment, and run again. The objects are deleted from raw afterwards.

    Args:
        location: The lake. If a compaction runs in a directory, it is waited for.
        source: The raw bucket, whose objects the records of hours count.
        search: What to delete.
        mentions: Also delete rows that only mention the person.

    Returns:
        How many files stay that may be of a writer that still runs, and may hold the person.

    Raises:
        AnalysisError: The lake cannot be written, or another process writes to it for ten minutes.
    """
    from pyiceberg.exceptions import CommitFailedException

    if not location.exists:
        return 0
    with _errors(location), location.locked(PATIENCE):
        for number in range(MOST_TRIES):
            try:
                tables = open_tables(location)
                _delete(tables, Records(location.store), source, search, mentions=mentions)
                return purge(location, (tables.events, tables.orders))
            except NoLake:
                return 0
            except (Conflict, CommitFailedException):
                time.sleep(random.uniform(0, number))  # noqa: S311  # so that two writers do not meet again
    raise AnalysisError(f"another writer changes the lake {location} all the time: run the command again later")


def _delete(tables: Tables, records: Records, source: str | Path, search: Search, *, mentions: bool) -> None:
    """Write the records first: a row whose hour has the wrong record is found again, a record without it is not."""
    events, orders = _both(tables)
    from_events = _without(events, search, mentions=mentions)
    gone = from_events.rows.select(EVENT_ID, KEY, PARTITION_HOUR)
    from_orders = _without(orders, replace(search, own={*search.own, *gone[KEY]}), mentions=mentions)
    _add_next_orders(from_orders, from_events)
    keys = {*search.own, *search.mentioning} if mentions else search.own

    def known(ids: pl.Series) -> pl.Series:
        wanted = pl.DataFrame({EVENT_ID: ids})
        return pl.concat([chunk.join(wanted, EVENT_ID, how="semi") for chunk in _each(events, (EVENT_ID,))])[EVENT_ID]

    if keys or not gone.is_empty():
        records.write(records_after(records, source, Leaving(gone, _counts_after(from_events), keys, known)))
    from_orders.commit()
    from_events.commit()


@dataclass
class _Removal:
    """A commit that is ready: the files with rows to delete were written again without them, and read back.

    Attributes:
        files: The table's files.
        rows: The rows to delete.
        left: Id and hour of each row of the new files.
    """

    files: Files
    rows: pl.DataFrame
    left: pl.DataFrame
    old: "list[FileScanTask]" = field(default_factory=list)
    new: "list[DataFile]" = field(default_factory=list)

    def add(self, written: "list[DataFile]", left: pl.DataFrame) -> None:
        """Add a file that was written."""
        self.new += written
        self.left = pl.concat([self.left, left])

    def commit(self) -> None:
        """Make it count."""
        self.files.replace(self.old, self.new)


def _without(files: Files, search: Search, *, mentions: bool) -> _Removal:
    """Write each file that holds a row to delete again without it."""
    columns = search.columns(files, mentions=mentions)

    def rewrite(task: "FileScanTask") -> "tuple[pl.DataFrame, list[DataFile], pl.DataFrame] | None":
        (looked_at,) = _each(files, columns, [task])
        if looked_at.filter(search.chosen_in(looked_at, mentions=mentions)).is_empty():
            return None
        with _damage_named():
            gone, left = files.without(task, columns, lambda rows: search.chosen_in(rows, mentions=mentions))
        return gone, *_written(files, left, files.day(task))

    removal = _Removal(files, files.read([]), files.read([], (files.id, PARTITION_HOUR)))
    name = f"erasing {files.table.name()[-1]} from the lake"
    with progress(name, len(files.tasks)) as advance, ThreadPoolExecutor(WRITERS) as pool:
        for task, done in zip(files.tasks, pool.map(rewrite, files.tasks), strict=True):
            if done is not None:
                gone, written, left = done
                removal.rows = pl.concat([removal.rows, gone])
                removal.old.append(task)
                removal.add(written, left)
            advance(1)
    return removal


def _written(files: Files, rows: "pl.DataFrame | pa.Table", day: date) -> "tuple[list[DataFile], pl.DataFrame]":
    """Write rows of one day, and read their ids and hours back."""
    from pyiceberg.table import FileScanTask

    written = files.write(rows, day)
    columns = (files.id, PARTITION_HOUR)
    left = files.read([*map(FileScanTask, written)], columns)
    if not left.equals(pl.DataFrame(rows.select(columns))):
        raise AnalysisError(f"{written[0].file_path} does not hold what was written to it: run the command again")
    return written, left


def _add_next_orders(orders: _Removal, events: _Removal) -> None:
    """Give an order that another person's event placed, too, the row of that event."""
    if orders.rows.is_empty():
        return
    ids = orders.rows[ORDER_ID].to_list()
    # The id as it stands in the JSON text; with an escape, it may be spelled otherwise.
    may_be = pl.col("order").str.contains_any(ids) | pl.col("order").str.contains("\\", literal=True)
    may_place = (pl.col("event_name") == "checkout_complete") & may_be
    others = [orders.files.read([])]
    for task in events.files.tasks:
        (seen,) = _each(events.files, ("event_name", "order"), [task])
        if not seen.filter(may_place).is_empty():
            (rows,) = _each(events.files, PLACED, [task])
            living = rows.filter(may_place).join(events.rows, KEY, how="anti")
            others.append(orders_of(living).filter(pl.col(ORDER_ID).is_in(ids)))
    at = orders.files.time
    first = pl.concat(others).sort(at, KEY).unique(ORDER_ID, keep="first", maintain_order=True)
    days = first[PARTITION_HOUR].dt.date()
    for day in days.unique().sort():
        orders.add(*_written(orders.files, first.filter(days == day), day))


def _counts_after(removal: _Removal) -> dict[datetime, Count]:
    """Count the rows of each hour that loses rows, as they will be."""
    files = removal.files
    old = {task.file.file_path for task in removal.old}
    days = set(removal.rows[PARTITION_HOUR].dt.date())
    others = [task for task in files.tasks if task.file.file_path not in old and files.day(task) in days]
    there = pl.concat([removal.left, files.read(others, removal.left.columns)])
    return files.counted(there.join(removal.rows, PARTITION_HOUR, how="semi"))


@contextmanager
def _errors(location: Location) -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except (OSError, BaseError, ClientError, BotoCoreError) as error:
        reason, _, _ = str(error).partition("\n")
        raise AnalysisError(f"cannot use the lake {location}: {reason}") from error


def _has_key(keys: Collection[str]) -> pl.Expr:
    return pl.col(KEY).is_in(list(keys)) if keys else pl.lit(value=False)


def _both(tables: Tables) -> tuple[Files, Files]:
    return Files(tables.events, EVENT_ID, "event_timestamp"), Files(tables.orders, ORDER_ID, "placed_at")


def _each(
    files: Files, columns: Sequence[str], tasks: "Sequence[FileScanTask] | None" = None
) -> Iterator[pl.DataFrame]:
    """Read some columns of files, one by one, with the rows that another engine has deleted: their bytes are there."""
    from pyiceberg.table import FileScanTask

    for task in files.tasks if tasks is None else tasks:
        with _damage_named():
            rows = files.read([FileScanTask(task.file)], columns)
        yield rows


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except Damaged as error:
        raise AnalysisError(
            f"{error.path} is damaged ({error.reason}), so it may hold the person: write its day again with "
            "'python -m analysis compact --verify' first"
        ) from error
