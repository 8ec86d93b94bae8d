"""Faults of the disks: one that is full."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import psycopg

from chalicelib.contract import TABLE
from emulator.soak.subject import Subject

__all__ = ["DISK_FULL", "WRITE_WAL", "fill", "fill_data", "fill_wal"]

# Names of the faults that need a small disk; see `emulator.soak.disks`.
DISK_FULL = ("S3 disk full", "PostgreSQL disk full", "WAL disk full")
# Rows that are rolled back. They take what is free in the files of the table, where new rows would go otherwise.
WRITE_ROWS = f"""
INSERT INTO {TABLE} (event_id, event_name, event_timestamp)
SELECT gen_random_uuid(), 'soak', now() FROM generate_series(1, 1000)
"""  # noqa: S608  # a name of the contract
# More than a segment of WAL, so that PostgreSQL has to make a new one. It crashes if there is no space for it.
WRITE_WAL = "SELECT pg_logical_emit_message(false, 'soak', repeat('-', 32 * 1024 * 1024))"


def fill(name: str, subject: Subject, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Fill a disk of the stack, and keep it full for some seconds; call `meanwhile` again and again."""
    disk = subject.disks[name]
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            disk.fill()
            meanwhile()
            time.sleep(0.05)
    finally:
        disk.free()


def fill_data(subject: Subject, seconds: float) -> None:
    """Fill the disk of PostgreSQL's data, so that there is no space for new rows."""
    fill("warehouse", subject, seconds, partial(_roll_back, subject, WRITE_ROWS))


def fill_wal(subject: Subject, seconds: float) -> None:
    """Fill the disk of the WAL, and let PostgreSQL write more of it than there is space for."""
    fill("wal", subject, seconds, partial(_roll_back, subject, WRITE_WAL))


def _roll_back(subject: Subject, statement: str) -> None:
    """Run a statement, if PostgreSQL answers and has the space for it, and roll it back."""
    with (
        suppress(psycopg.Error),
        psycopg.connect(subject.stack.dw_url, connect_timeout=2) as connection,
    ):
        connection.execute(statement.encode())
        connection.rollback()
