"""Which raw objects the warehouse knows already, as a row or as a reject."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg

from chalicelib.contract import COLUMNS, TABLE
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import flatten
from chalicelib.warehouse import REJECTS
from emulator.deliveries import File

__all__ = ["known_files"]

EVENT_ID = [column.name for column in COLUMNS].index("event_id")

KNOWN_EVENTS = f"SELECT event_id FROM {TABLE} WHERE event_id = ANY(%s)"  # noqa: S608  # a name of the contract
KNOWN_REJECTS = f"SELECT key FROM {REJECTS} WHERE bucket = %s AND key = ANY(%s)"  # noqa: S608  # as above


def known_files(directory: Path, dw_url: str, files: list[File]) -> list[File]:
    """Those of `files`, objects of the bucket at `directory`, that are rows or rejects. Raises psycopg.Error."""
    event_ids = {file.key: _event_id(directory / file.key, file) for file in files}
    ids = [event_id for event_id in event_ids.values() if event_id is not None]
    keys = [key for key, event_id in event_ids.items() if event_id is None]
    with psycopg.connect(dw_url, autocommit=True, connect_timeout=5) as connection:
        try:
            rows = {row[0] for row in connection.execute(KNOWN_EVENTS, (ids,))} if ids else set()
            rejects = {row[0] for row in connection.execute(KNOWN_REJECTS, (directory.name, keys))} if keys else set()
        except psycopg.errors.UndefinedTable:
            return []
    return [file for file in files if event_ids[file.key] in rows or file.key in rejects]


def _event_id(path: Path, file: File) -> UUID | None:
    """The id of the object's row; None if it can have none, or is gone."""
    try:
        event_id = flatten(path.read_bytes(), file.key, datetime.now(UTC))[EVENT_ID]
    except (InvalidEvent, OSError):
        return None  # not known: the projector will say what is wrong
    return event_id if isinstance(event_id, UUID) else None
