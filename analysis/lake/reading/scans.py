"""Gives data files of a table to DuckDB: files that DuckDB reads rightly as they are, and others by pyiceberg."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from analysis.lake.schema import PARTITION_HOUR

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from pyiceberg.schema import Schema
    from pyiceberg.table import FileScanTask, Table

__all__ = ["Damage", "connect", "planned", "read_whole", "relation_of", "watching"]

FILE = "file://"
# DuckDB takes these for patterns in the names of files.
PATTERN = re.compile(r"[*?\[\]]")


class Damage(Exception):
    """Files of the lake turned out to be damaged while they were read: `files` has the reason by the path."""

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path} is damaged: {reason}" for path, reason in files.items()))
        self.files = files


@contextmanager
def watching(table: "Table", tasks: "Sequence[FileScanTask]") -> Iterator[None]:
    """Raise Damage if what reads these files inside the block fails because some of them are damaged."""
    import duckdb
    import pyarrow as pa

    try:
        yield
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        raise  # errors of the query
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        if files := _damaged(table, tasks):
            raise Damage(files) from error
        raise


def _damaged(table: "Table", tasks: "Sequence[FileScanTask]") -> dict[str, str]:
    """Read every file as a whole, and give the reason by the path of each that is damaged."""
    import pyarrow as pa

    found = {}
    for task in tasks:
        try:
            read_whole(table, [task])
        except (OSError, ValueError, pa.ArrowException) as error:
            found[task.file.file_path] = str(error).partition("\n")[0]
    return found


def planned(table: "Table", first: datetime, last: datetime) -> "list[FileScanTask]":
    """Find the files that may hold rows of whole hours, from `first` to before `last`, in UTC."""
    here = f"{PARTITION_HOUR} >= '{first.isoformat()}' and {PARTITION_HOUR} < '{last.isoformat()}'"
    return list(table.scan(row_filter=here).plan_files())


def connect() -> "DuckDBPyConnection":
    """Open a database in memory, whose clocks show UTC."""
    import duckdb

    database = duckdb.connect()
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database


def relation_of(
    connection: "DuckDBPyConnection", table: "Table", tasks: "Sequence[FileScanTask]", columns: Sequence[str], name: str
) -> str:
    """Give SQL for the rows of some files, to be written after FROM.

    DuckDB reads a file itself if no delete file belongs to it. It finds the columns by the ids that the table gave
    them, so a column that was renamed, or added later, is right. Whatever lists the files of a directory itself shows
    rows that were deleted. So pyiceberg reads the other files, slowly, and whole.

    Args:
        connection: The database.
        table: The table.
        tasks: The files, as `plan_files` gives them.
        columns: The columns that are needed. There may be others.
        name: A prefix, of this relation only, for the tables that are made in the database.
    """
    schema = table.schema()
    # DuckDB finds no inner fields by their ids.
    is_flat = len(table.schemas()) == 1 or all(schema.find_type(column).is_primitive for column in columns)
    plain = [task for task in tasks if is_flat and _is_plain(task)]
    others = [task for task in tasks if not (is_flat and _is_plain(task))]
    parts = [f"SELECT {_listed(columns)} FROM {_files(table, plain)}"] if plain else []  # noqa: S608  # our own names
    if others or not parts:
        connection.register(f"{name}_arrow", read_whole(table, others, columns))
        # A table, since cursors see nothing that was registered.
        connection.execute(f"CREATE OR REPLACE TABLE {name}_others AS FROM {name}_arrow")
        connection.unregister(f"{name}_arrow")
        parts.append(f"SELECT {_listed(columns)} FROM {name}_others")  # noqa: S608  # as above
    return f"({' UNION ALL '.join(parts)})"


def _is_plain(task: "FileScanTask") -> bool:
    path = task.file.file_path
    return not task.delete_files and path.startswith(FILE) and not PATTERN.search(path)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _files(table: "Table", tasks: "Sequence[FileScanTask]") -> str:
    paths = ", ".join(_text(task.file.file_path.removeprefix(FILE)) for task in tasks)
    # A column of the same name may be another one in files that were written under another schema.
    known = "" if len(table.schemas()) == 1 else f", schema = MAP {{{_ids(table.schema())}}}"
    return f"read_parquet([{paths}], hive_partitioning = false{known})"


def _ids(schema: "Schema") -> str:
    flat = ((field, _type(str(field.field_type))) for field in schema.fields if field.field_type.is_primitive)
    return ", ".join(
        f"{field.field_id}: {{name: {_text(field.name)}, type: {_text(kind)}, default_value: NULL}}"
        for field, kind in flat
    )


def _type(iceberg: str) -> str:
    plain = {"string": "VARCHAR", "long": "BIGINT", "timestamptz": "TIMESTAMPTZ", "int": "INTEGER", "uuid": "UUID"}
    return plain.get(iceberg, iceberg)


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def read_whole(table: "Table", tasks: "Sequence[FileScanTask]", columns: Sequence[str] | None = None) -> "pa.Table":
    """Read files by pyiceberg, without rows that were deleted; by default with all columns."""
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow

    schema = table.schema() if columns is None else table.schema().select(*columns)
    if not tasks:
        return schema_to_pyarrow(schema, include_field_ids=False).empty_table()
    return ArrowScan(table.metadata, table.io, schema, AlwaysTrue()).to_table(tasks)
