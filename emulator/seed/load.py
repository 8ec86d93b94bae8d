"""Loads hour partitions into the warehouse in bulk: what the projector would do with each object, only quicker."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg
from rich.progress import Progress

from chalicelib.contract import COLUMNS, EVENT_TIMESTAMP, TABLE
from chalicelib.errors import InvalidEvent, SettingsError
from chalicelib.flatten import Row, flatten
from chalicelib.keys import SUFFIX
from chalicelib.warehouse.client import INSERT_REJECT, Warehouse, create_tables, reason
from command_line.errors import CommandError
from emulator.seed.clock import moment
from emulator.seed.processes import Mapping

__all__ = ["Loaded", "load"]

NAMES = ", ".join(column.name for column in COLUMNS)
CREATE_RECEIVED = f"""
CREATE TEMPORARY TABLE received (LIKE {TABLE}, position BIGINT GENERATED ALWAYS AS IDENTITY) ON COMMIT DELETE ROWS
"""
COPY = f"COPY received ({NAMES}) FROM STDIN"
# In the order of receipt: the first one stays.
INSERT = f"""
INSERT INTO {TABLE} ({NAMES})
SELECT {NAMES} FROM received ORDER BY position
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608  # made of the contract's names only


class Loaded(NamedTuple):
    """How many rows and rejects the warehouse did not have before."""

    rows: int
    rejects: int


class _Hour(NamedTuple):
    """The rows of one partition in the order of their receipt, and key and reason of each reject."""

    rows: list[Row]
    rejects: list[tuple[str, str]]


def load(dw_url: str, directory: Path, hours: Sequence[int], each: Mapping, progress: Progress) -> Loaded:
    """Load every object of some hour partitions (see `clock`) of the bucket's directory; repeating it changes nothing.

    Raises CommandError if the warehouse does not answer or refuses.
    """
    rows = rejects = 0
    folders = [directory / f"{moment(hour):events/%Y/%m/%d/%H}" for hour in hours]
    with _connected(dw_url) as connection:
        partitions = each(partial(_read, directory), folders)
        for hour in progress.track(partitions, len(folders), description="loading"):
            with connection.transaction():
                rows += _load_rows(connection, hour.rows)
                rejects += _load_rejects(connection, directory.name, hour.rejects)
    return Loaded(rows, rejects)


def _read(directory: Path, folder: Path) -> _Hour:
    received: list[tuple[Row, str]] = []
    rejects: list[tuple[str, str]] = []
    for path in folder.glob(f"*{SUFFIX}"):
        key = path.relative_to(directory).as_posix()
        try:
            last_modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            received.append((flatten(path.read_bytes(), key, last_modified), key))
        except InvalidEvent as error:
            rejects.append((key, str(error)))
    received.sort(key=lambda each: (each[0][EVENT_TIMESTAMP], each[1]))
    return _Hour([row for row, _ in received], sorted(rejects))


def _load_rows(connection: psycopg.Connection, rows: Sequence[Row]) -> int:
    with connection.cursor() as cursor:
        with cursor.copy(COPY) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.execute(INSERT).rowcount


def _load_rejects(connection: psycopg.Connection, bucket: str, rejects: Sequence[tuple[str, str]]) -> int:
    if not rejects:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_REJECT, [(bucket, key, reason) for key, reason in rejects])
        return cursor.rowcount


@contextmanager
def _connected(dw_url: str) -> Iterator[psycopg.Connection]:
    """A connection to a warehouse that has both tables."""
    try:
        Warehouse(dw_url)  # refuses what is no URL, without quoting it
        with psycopg.connect(dw_url, autocommit=True, connect_timeout=5) as connection:
            create_tables(connection)
            connection.execute(CREATE_RECEIVED)
            yield connection
    except SettingsError as error:
        raise CommandError(str(error)) from None
    except psycopg.Error as error:
        raise CommandError(f"the warehouse was not loaded: {reason(error)}") from error
