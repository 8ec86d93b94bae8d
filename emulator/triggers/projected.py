"""Asks the warehouse which events and raw objects have a row or a reject already."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from analysis.raw.partitions import hour_of
from chalicelib.contract import EVENT_ID, TABLE
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import flatten
from chalicelib.keys import require_hour
from chalicelib.warehouse.horizon import recorded_horizon
from chalicelib.warehouse.schema import SCHEMA
from chalicelib.warehouse.tables import REJECTS
from emulator.triggers.notification import File

__all__ = ["known_events", "known_files", "quick_connection", "row_and_reject"]

STATEMENT_TIMEOUT = "SET statement_timeout = '2s'"
KNOWN_EVENTS = f"SELECT event_id FROM {TABLE} WHERE event_id = ANY(%s)"  # noqa: S608  # a name of the contract
# The contract's columns only: a column that an analyst has added may have a type that JSON lacks.
ROW = f"SELECT {SCHEMA.names} FROM {TABLE} WHERE event_id = %s"  # noqa: S608  # names of the contract
REJECT = f"SELECT reason FROM {REJECTS} WHERE bucket = %s AND key = %s"  # noqa: S608  # as above
KNOWN_REJECTS = f"SELECT key FROM {REJECTS} WHERE bucket = %s AND key = ANY(%s)"  # noqa: S608  # as above


@contextmanager
def quick_connection(dw_url: str) -> Iterator[psycopg.Connection]:
    """Give a connection whose statements end after two seconds, even if a table is locked. Raises psycopg.Error."""
    with psycopg.connect(dw_url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(STATEMENT_TIMEOUT)
        yield connection


def known_events(connection: psycopg.Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Return the given event ids that have a row; an empty set if there is no table yet. Raises psycopg.Error."""
    return _found(connection, KNOWN_EVENTS, (list(ids),))


def known_files(directory: Path, dw_url: str, files: list[File]) -> list[File]:
    """Return the given objects of the bucket at `directory` that need no delivery. Raises psycopg.Error.

    They have a row or a reject, or are of an hour before the warehouse's horizon, whose rows `retain` has deleted.
    """
    with quick_connection(dw_url) as connection:
        old = _before(recorded_horizon(connection), files)
        event_ids = {file.key: _event_id(directory / file.key, file) for file in files if file.key not in old}
        rows = known_events(connection, [event_id for event_id in event_ids.values() if event_id is not None])
        keys = [key for key, event_id in event_ids.items() if event_id is None]
        known = old | _found(connection, KNOWN_REJECTS, (directory.name, keys))
    return [file for file in files if file.key in known or event_ids[file.key] in rows]


def row_and_reject(
    dw_url: str, event_id: UUID | None, bucket: str, key: str
) -> tuple[dict[str, Any] | None, str | None]:
    """Return the row of an event and the reason of an object's reject, each None if it does not exist.

    Args:
        dw_url: libpq URL of the warehouse.
        event_id: Id of the event.
        bucket: Name of the object's bucket.
        key: Key of the object.

    Returns:
        The row's values by the contract's column names, and the reason.

    Raises:
        psycopg.Error: The warehouse does not answer.
    """
    with quick_connection(dw_url) as connection:
        reject = next(iter(_found(connection, REJECT, (bucket, key))), None)
        try:
            return connection.cursor(row_factory=dict_row).execute(ROW.encode(), (event_id,)).fetchone(), reject
        except psycopg.errors.UndefinedTable:
            return None, reject


def _found(connection: psycopg.Connection, query: LiteralString, parameters: tuple[Any, ...]) -> set[Any]:
    """Return the first column of a query's result; an empty set if the table does not exist yet."""
    try:
        return {row[0] for row in connection.execute(query, parameters)}
    except psycopg.errors.UndefinedTable:
        return set()


def _before(horizon: datetime | None, files: list[File]) -> set[str]:
    """Return the keys of the objects that lie in an hour before the horizon."""
    if horizon is None:
        return set()
    return {file.key for file in files if (hour := hour_of(file.key)) is not None and hour < horizon}


def _event_id(path: Path, file: File) -> UUID | None:
    """Return the id of the object's row; None if the object cannot become a row, or is deleted."""
    try:
        require_hour(file.key)
        event_id = flatten(path.read_bytes(), file.key, datetime.now(UTC))[EVENT_ID]
    except (InvalidEvent, OSError):
        return None  # the projector will give the reason
    return event_id if isinstance(event_id, UUID) else None
