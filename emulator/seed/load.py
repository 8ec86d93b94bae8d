"""Loads hour partitions into the warehouse in bulk, with the same result as the projector but quicker."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg
from rich.progress import Progress

from chalicelib.contract import EVENT_TIMESTAMP, TABLE
from chalicelib.errors import InvalidEvent, NewerWarehouse, OtherPriceDecimals, SettingsError
from chalicelib.flatten import Row, flatten
from chalicelib.keys import SUFFIX
from chalicelib.warehouse.client import Warehouse, reason
from chalicelib.warehouse.schema import SCHEMA, Schema
from chalicelib.warehouse.tables import INSERT_REJECT
from command_line.errors import CommandError
from emulator.seed.clock import moment
from emulator.seed.processes import Mapping

__all__ = ["Loaded", "load"]

CREATE_RECEIVED = f"""
CREATE TEMPORARY TABLE received ({SCHEMA.definitions}, position BIGINT GENERATED ALWAYS AS IDENTITY)
ON COMMIT DELETE ROWS
"""
COPY = f"COPY received ({SCHEMA.names}) FROM STDIN"
# In the order of receipt, so that the first received object of an event makes its row.
INSERT = f"""
INSERT INTO {TABLE} ({SCHEMA.names})
SELECT {SCHEMA.names} FROM received ORDER BY position
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608  # made of the contract's names only


class Loaded(NamedTuple):
    """The numbers of new rows and new rejects in the warehouse."""

    rows: int
    rejects: int


class _Hour(NamedTuple):
    """The rows of one partition in the order of receipt, and key and reason of each reject."""

    rows: list[Row]
    rejects: list[tuple[str, str]]


def load(
    dw_url: str, directory: Path, hours: Sequence[int], each: Mapping, progress: Progress, price_decimals: int = 0
) -> Loaded:
    """Load every object of some hour partitions into the warehouse; repeating it changes nothing.

    Args:
        dw_url: libpq URL of the warehouse.
        directory: Directory of the raw bucket.
        hours: Beginnings of the hours, as in `clock`.
        each: Applies a function to many tasks, as `map` does.
        progress: Shows a bar.
        price_decimals: How many decimals the prices keep.

    Returns:
        The numbers of new rows and rejects.

    Raises:
        CommandError: The warehouse does not answer, refuses a statement, or has prices with other decimals.
    """
    rows = rejects = 0
    folders = [directory / f"{moment(hour):events/%Y/%m/%d/%H}" for hour in hours]
    with _connected(dw_url, SCHEMA.with_decimals(price_decimals)) as connection:
        partitions = each(partial(_read, directory, price_decimals), folders)
        for hour in progress.track(partitions, len(folders), description="loading"):
            with connection.transaction():
                rows += _load_rows(connection, hour.rows)
                rejects += _load_rejects(connection, directory.name, hour.rejects)
    return Loaded(rows, rejects)


def _read(directory: Path, price_decimals: int, folder: Path) -> _Hour:
    received: list[tuple[Row, str]] = []
    rejects: list[tuple[str, str]] = []
    for path in folder.glob(f"*{SUFFIX}"):
        key = path.relative_to(directory).as_posix()
        try:
            last_modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            received.append((flatten(path.read_bytes(), key, last_modified, price_decimals), key))
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
def _connected(dw_url: str, schema: Schema) -> Iterator[psycopg.Connection]:
    """Give a connection to the warehouse, after adding the tables and columns that are missing."""
    try:
        Warehouse(dw_url)  # refuses a text that is not a URL, without quoting it
        with psycopg.connect(dw_url, autocommit=True, connect_timeout=5) as connection:
            schema.refuse_newer(connection)
            schema.upgrade(connection, as_allowed=True)
            schema.refuse_other_decimals(connection)
            connection.execute(CREATE_RECEIVED)
            yield connection
    except (SettingsError, NewerWarehouse, OtherPriceDecimals) as error:
        raise CommandError(str(error)) from None
    except psycopg.Error as error:
        raise CommandError(f"the warehouse could not be loaded: {reason(error)}") from error
