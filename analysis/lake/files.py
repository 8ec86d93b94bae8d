"""The data files of one table: which rows they hold, and commits that replace some of them by others."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import polars as pl

from analysis.errors import AnalysisError
from analysis.lake.hours import hash_of_names
from analysis.lake.schema import PARTITION_HOUR

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import FileScanTask, Table

__all__ = ["Conflict", "Count", "Damaged", "Files"]

EPOCH = date(1970, 1, 1)
EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
# Rows of a few columns that are looked at together.
CHUNK = 1_000_000


class Conflict(AnalysisError):
    """Another writer has changed the table since its files were listed."""


class Damaged(Exception):
    """A data file cannot be read. `path` is its name, and `day` the day of its rows."""

    def __init__(self, path: str, day: date, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.day = day
        self.reason = reason


class Count(NamedTuple):
    """How many rows an hour has, and a hash over their ids."""

    rows: int
    ids: str


class Files:
    """The live data files of a table.

    Args:
        table: The table.
        id_column: The column that has each value once.
        time_column: The time of receipt.
    """

    def __init__(self, table: "Table", id_column: str, time_column: str) -> None:
        self.table = table
        self.id = id_column
        self.time = time_column
        self._tasks: dict[str, FileScanTask] = {task.file.file_path: task for task in table.scan().plan_files()}
        self.damaged: set[str] = set()
        self._schemas: dict[tuple[int, tuple[str, ...] | None], tuple[Schema, pa.Schema]] = {}

    @property
    def tasks(self) -> "list[FileScanTask]":
        """All files that can be read, as scans of them."""
        return [task for path, task in self._tasks.items() if path not in self.damaged]

    def of_day(self, day: date) -> "list[FileScanTask]":
        """The files of one day, damaged ones too."""
        return [task for task in self._tasks.values() if _day(task) == day]

    @staticmethod
    def day(task: "FileScanTask") -> date:
        """The day of a file."""
        return _day(task)

    def days(self) -> dict[date, int]:
        """How many files each day has."""
        found: dict[date, int] = {}
        for task in self._tasks.values():
            found[_day(task)] = found.get(_day(task), 0) + 1
        return found

    def holding(self, day: date, hours: Iterable[datetime]) -> "list[FileScanTask]":
        """The files of a day that may hold rows of these hours."""
        wanted = set(hours)
        return [
            task
            for task in self.of_day(day)
            if any(first <= hour <= last for first, last in [self._span(task)] for hour in wanted)
        ]

    def _span(self, task: "FileScanTask") -> tuple[datetime, datetime]:
        """The first and the last hour that a file may hold."""
        from pyiceberg.conversions import from_bytes
        from pyiceberg.types import TimestamptzType

        number = self.table.schema().find_field(PARTITION_HOUR).field_id
        start = datetime.combine(_day(task), datetime.min.time(), UTC)
        bounds = (task.file.lower_bounds or {}).get(number), (task.file.upper_bounds or {}).get(number)
        if None in bounds:
            return start, start + timedelta(hours=23)
        first, last = (timedelta(microseconds=int(from_bytes(TimestamptzType(), each))) for each in bounds if each)
        return first + EPOCH_MOMENT, last + EPOCH_MOMENT

    def read(self, tasks: "Sequence[FileScanTask]", columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Read the rows of some files, without rows that another engine has deleted.

        Raises:
            Damaged: A file cannot be read.
        """
        return pl.concat([*self.chunks(tasks, columns)], how="vertical") if tasks else self._empty(columns)

    def chunks(self, tasks: "Sequence[FileScanTask]", columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Read as `read` does, some files at a time."""
        waiting: list[pa.Table] = []
        rows = 0
        for task in tasks:
            waiting.append(self._read(task, columns))
            rows += waiting[-1].num_rows
            if rows >= CHUNK:
                yield _as_frame(waiting)
                waiting, rows = [], 0
        if waiting:
            yield _as_frame(waiting)

    def _read(self, task: "FileScanTask", columns: Sequence[str] | None) -> "pa.Table":
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyiceberg.expressions import AlwaysTrue
        from pyiceberg.io.pyarrow import ArrowScan

        schema, target = self._selected(columns)
        try:
            # Under one schema, a column of the same name is the same column. ArrowScan takes six times as long.
            if not task.delete_files and (columns is not None or len(self.table.schemas()) == 1):
                with self.table.io.new_input(task.file.file_path).open() as opened:
                    found = pq.ParquetFile(opened)
                    if set(target.names) <= set(found.schema_arrow.names):
                        rows = found.read(target.names).select(target.names).cast(target)
                        return rows if columns is None else rows.select(list(columns))
            scan = ArrowScan(self.table.metadata, self.table.io, schema, AlwaysTrue())
            rows = scan.to_table([task])
            return rows if columns is None else rows.select(list(columns))
        except (OSError, pa.ArrowException) as error:
            raise Damaged(task.file.file_path, _day(task), str(error).partition("\n")[0]) from error

    def _selected(self, columns: Sequence[str] | None) -> "tuple[Schema, pa.Schema]":
        """Give the schema of some columns, as Iceberg and as Arrow knows it: kept, since there may be many files."""
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        whole = self.table.schema()
        known = whole.schema_id, None if columns is None else tuple(columns)
        if known not in self._schemas:
            schema = whole if columns is None else whole.select(*columns)
            self._schemas[known] = schema, schema_to_pyarrow(schema, include_field_ids=False)
        return self._schemas[known]

    def _empty(self, columns: Sequence[str] | None) -> pl.DataFrame:
        _, target = self._selected(columns)
        return _as_frame([target.empty_table()])

    def without(
        self, task: "FileScanTask", columns: Sequence[str], chosen: Callable[[pl.DataFrame], pl.Expr]
    ) -> "tuple[pl.DataFrame, pa.Table]":
        """Read the rows of a file, and part the chosen ones from the rest, which stays as Arrow has it, to be written.

        Args:
            task: The file.
            columns: What `chosen` needs to see.
            chosen: Gives the expression that tells these rows.

        Raises:
            Damaged: The file cannot be read.
        """
        rows = self._read(task, None)
        seen = _as_frame([rows.select(list(columns))])
        is_chosen = seen.select(chosen=chosen(seen).fill_null(value=False))["chosen"]
        left = rows.filter((~is_chosen).to_arrow()).combine_chunks()
        return _as_frame([rows.filter(is_chosen.to_arrow())]), left

    def write(self, rows: "pl.DataFrame | pa.Table", day: date) -> "list[DataFile]":
        """Write rows of one day, in their order, as one data file. It counts only when it is committed."""
        from pyiceberg.io.pyarrow import write_file
        from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
        from pyiceberg.table import WriteTask

        if isinstance(rows, pl.DataFrame):
            rows = rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        if rows.num_rows == 0:
            return []
        metadata = self.table.metadata
        value = PartitionFieldValue(metadata.spec().fields[0], (day - EPOCH).days)
        key = PartitionKey([value], metadata.spec(), metadata.schema())
        task = WriteTask(uuid4(), 0, metadata.schema(), rows.to_batches(), partition_key=key)
        (written,) = write_file(self.table.io, metadata, iter([task]))
        written.spec_id = metadata.default_spec_id
        return [written]

    def counted(self, rows: pl.DataFrame) -> dict[datetime, Count]:
        """Count the rows of each hour."""
        ids = rows.select(self.id, PARTITION_HOUR)
        return {
            hour[0]: Count(part.height, hash_of_names(part[self.id]))
            for hour, part in ids.partition_by(PARTITION_HOUR, as_dict=True).items()
        }

    def replace(self, old: "Iterable[FileScanTask]", new: "Sequence[DataFile]") -> None:
        """Commit: in one snapshot, the new files are there and the old ones are not.

        Raises:
            Conflict: Another writer has changed the table meanwhile. Nothing was committed.
        """
        from pyiceberg.exceptions import CommitFailedException, ValidationException
        from pyiceberg.table import FileScanTask

        from analysis.lake.transactions import QuickTransaction

        gone = [task.file for task in old]
        if not (gone or new):
            return
        try:
            with QuickTransaction(self.table) as change, change.update_snapshot().overwrite() as snapshot:
                for file in gone:
                    snapshot.delete_data_file(file)
                for file in new:
                    snapshot.append_data_file(file)
        except (CommitFailedException, ValidationException) as error:
            raise Conflict("another writer changes the lake all the time: run the command again later") from error
        for file in gone:
            del self._tasks[file.file_path]
            self.damaged.discard(file.file_path)
        self._tasks |= {file.file_path: FileScanTask(file) for file in new}


def _day(task: "FileScanTask") -> date:
    days = task.file.partition[0]
    return days if isinstance(days, date) else EPOCH + timedelta(days=days)


def _as_frame(tables: "list[pa.Table]") -> pl.DataFrame:
    import pyarrow as pa

    frame = pl.from_arrow(pa.concat_tables(tables, promote_options="permissive"))
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # a table, not an array
    return frame
