"""Puts the rows of some hours into a table: each id once, as the first received, in one commit."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from analysis.errors import AnalysisError
from analysis.lake.files import Count, Files
from analysis.lake.known_ids import may_hold
from analysis.lake.schema import PARTITION_HOUR
from analysis.rows.fields import KEY

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask

__all__ = ["FIRST_HOUR", "Merge", "prepared"]

FIRST_HOUR = "first_hour"


@dataclass
class Merge:
    """A commit that is ready: its files are written, read back and right.

    Attributes:
        rows: The rows of the hours that are first received, as they are in the table afterwards.
        repeats: `key`, `partition_hour` and `first_hour` of each row that is left out, because the row of its id was
            received before, in `first_hour`.
        gave_way: How many rows of each other hour are left out, because one of the hours has an earlier one.
        erased: How many rows of each other hour are left out, because they are of erased people.
        lost: The ids that the hours had in the table, and have no more.
        counts: Rows and ids of every hour that the new files hold.
    """

    files: Files
    rows: pl.DataFrame
    repeats: pl.DataFrame
    lost: pl.Series
    gave_way: Counter[datetime] = field(default_factory=Counter)
    erased: Counter[datetime] = field(default_factory=Counter)
    counts: dict[datetime, Count] = field(default_factory=dict)
    old: "list[FileScanTask]" = field(default_factory=list)
    new: "list[DataFile]" = field(default_factory=list)

    def commit(self) -> None:
        """Make it count."""
        self.files.replace(self.old, self.new)

    def add(self, day: date, rows: pl.DataFrame) -> None:
        """Write a file of one day, and read it back."""
        from pyiceberg.table import FileScanTask

        written = self.files.write(rows, day)
        ids = rows.select(self.files.id, PARTITION_HOUR)
        if not self.files.read([*map(FileScanTask, written)], ids.columns).equals(ids):
            raise AnalysisError(f"{written[0].file_path} does not hold what was written to it: run the command again")
        self.new += written
        self.counts |= self.files.counted(ids)


def prepared(
    files: Files,
    day: date,
    hours: Collection[datetime],
    new: pl.DataFrame,
    *,
    is_closed: bool,
    keep: Callable[[pl.DataFrame], pl.DataFrame],
) -> Merge:
    """Prepare the commit that puts rows into the table in place of all rows that some hours of one day have there.

    Args:
        files: The table's files.
        day: The day of the hours.
        hours: The hours, UTC. Without any, the files of the day are only merged.
        new: All rows of these hours; an id may be there several times.
        is_closed: Whether all rows of the day become one file.
        keep: Leaves out the rows of erased people.

    Raises:
        Damaged: A file that has to be read is damaged, and is not yet known to be.
        AnalysisError: A file does not hold what was written to it.
    """
    at, id_name = files.time, files.id
    touched = files.of_day(day) if is_closed else files.holding(day, hours)
    if not hours and len(touched) <= 1:
        return Merge(files, new, _no_repeats(), new[id_name])
    old_ids, theirs = _before(files, touched, hours)
    kept = keep(theirs)
    # Only what tells which rows stay: there are many columns, and each sort writes them all again.
    ordered = new.select(id_name, at, KEY, PARTITION_HOUR).sort(at, KEY)
    first = ordered.unique(id_name, keep="first", maintain_order=True)
    existing = _existing(files, touched, kept, first)
    known = first.select(id_name, at, KEY).join(existing, id_name, suffix=" there")
    later = known.filter(_is_after(at))
    giving_way = known.filter(~_is_after(at))
    staying = first.join(later, id_name, how="anti")
    rows = new.join(staying, KEY, how="semi", maintain_order="left") if staying.height < new.height else new
    lost = old_ids.filter(~old_ids.is_in(staying[id_name].implode()))
    merge = Merge(files, rows, _repeats(ordered, staying, later, id_name), lost)
    merge.erased.update(theirs.join(kept, KEY, how="anti")[PARTITION_HOUR])
    merge.gave_way.update(giving_way[PARTITION_HOUR])
    merge.old += touched
    merge.add(day, pl.concat([kept.join(giving_way, id_name, how="anti"), rows.select(kept.columns)]).sort(at, KEY))
    for task in _holding(files, touched, giving_way[PARTITION_HOUR].unique().to_list()):
        others = files.read([task])
        left = others.join(giving_way, id_name, how="anti", maintain_order="left")
        if left.height < others.height:
            merge.old.append(task)
            merge.add(files.day(task), left)
    return merge


def _before(
    files: Files, touched: "Sequence[FileScanTask]", hours: Collection[datetime]
) -> tuple[pl.Series, pl.DataFrame]:
    """Read what some files hold: the ids of the hours, and all rows of other hours."""
    is_own = pl.col(PARTITION_HOUR).is_in(list(hours))
    old_ids, with_others = [files.read([], (files.id,))[files.id]], []
    for task in touched:
        if task.file.file_path not in files.damaged:
            ids = files.read([task], (files.id, PARTITION_HOUR))
            old_ids.append(ids.filter(is_own)[files.id])
            if old_ids[-1].len() < ids.height:
                with_others.append(task)
    return pl.concat(old_ids), files.read(with_others).filter(~is_own)


def _existing(files: Files, touched: "Sequence[FileScanTask]", kept: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Find the rows of other hours with the ids of new rows: id, time, key and hour."""
    columns = (files.id, files.time, KEY, PARTITION_HOUR)
    paths = {task.file.file_path for task in touched}
    others = [task for task in files.tasks if task.file.file_path not in paths]
    ids = first.select(files.id)
    found = [kept.select(columns).join(ids, files.id, how="semi")]
    if not ids.is_empty():
        holders = may_hold(files, others, ids[files.id])
        found += (chunk.join(ids, files.id, how="semi") for chunk in files.chunks(holders, columns))
    return pl.concat(found)


def _is_after(at: str) -> pl.Expr:
    """Whether a new row was received after the one that is there, or in the same moment with a later key."""
    there, key_there = pl.col(f"{at} there"), pl.col(f"{KEY} there")
    return (pl.col(at) > there) | ((pl.col(at) == there) & (pl.col(KEY) > key_there))


def _no_repeats() -> pl.DataFrame:
    hour = pl.Datetime("us", "UTC")
    return pl.DataFrame(schema={KEY: pl.String(), PARTITION_HOUR: hour, FIRST_HOUR: hour})


def _repeats(ordered: pl.DataFrame, staying: pl.DataFrame, later: pl.DataFrame, id_name: str) -> pl.DataFrame:
    firsts = pl.concat(
        [
            staying.select(id_name, pl.col(PARTITION_HOUR).alias(FIRST_HOUR)),
            later.select(id_name, pl.col(PARTITION_HOUR).alias(FIRST_HOUR)),
        ]
    )
    return ordered.join(staying, KEY, how="anti").join(firsts, id_name).select(KEY, PARTITION_HOUR, FIRST_HOUR)


def _holding(files: Files, touched: "Sequence[FileScanTask]", hours: Collection[datetime]) -> "list[FileScanTask]":
    paths = {task.file.file_path for task in touched} | files.damaged
    found = [task for hour in hours for task in files.holding(hour.date(), [hour])]
    return list({task.file.file_path: task for task in found if task.file.file_path not in paths}.values())
