"""Resets a running stack: switches faults off, stops shoppers, deletes events, rows, rejects, traces and the lake."""

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import psycopg

from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import HOURS, REJECTS, SETTINGS, TOMBSTONES
from command_line.errors import CommandError
from command_line.home import Stack
from emulator.stack.beginning import Beginning
from emulator.stack.faults import FaultSwitches
from emulator.traces.traces import Traces
from emulator.triggers.watch import Triggers

__all__ = ["Reset"]

LOCK_TIMEOUT = "SET lock_timeout = '10s'"
EMPTY = "TRUNCATE {}"
FORGET_HORIZON = f"DELETE FROM {SETTINGS} WHERE name = 'horizon'"  # noqa: S608  # our own name


class Reset:
    """Resets one stack when called. `at` is the beginning of the last successful reset; None before the first."""

    def __init__(
        self,
        stack: Stack,
        bucket: Path,
        triggers: Triggers,
        traces: Traces,
        faults: FaultSwitches,
        forget_shoppers: Callable[[], None],
        lake: Path,
    ) -> None:
        self.at: Beginning | None = None
        self._lock = Lock()
        self._stack = stack
        self._bucket = bucket
        self._triggers = triggers
        self._traces = traces
        self._faults = faults
        self._forget_shoppers = forget_shoppers
        self._lake = lake

    def __call__(self) -> None:
        """Delete every raw object, row, reject, tombstone and trace, and the lake. A warehouse given by --dw stays.

        Raises:
            CommandError: Something cannot be deleted.
        """
        with self._lock:
            self._reset()

    def _reset(self) -> None:
        self._forget_shoppers()
        self._faults.all_off()
        began = Beginning.now(self._stack.dw_url)
        with self._triggers.held():
            if self._stack.is_own_dw:
                _empty_tables(self._stack.dw_url)  # first, since this may fail, and raw can restore the rows
            self._delete_objects()
            self._traces.reset()
            self.at = began

    def _delete_objects(self) -> None:
        """Delete the files but not the directories, which the S3 server caches for a moment."""
        try:
            for path in self._bucket.rglob("*"):
                if not path.is_dir():
                    path.unlink(missing_ok=True)
            if self._lake.exists():
                shutil.rmtree(self._lake)
        except OSError as error:
            raise CommandError(f"cannot delete {error.filename}: {error.strerror}") from error


def _empty_tables(dw_url: str) -> None:
    try:
        with psycopg.connect(dw_url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(LOCK_TIMEOUT)
            for table in (TABLE, REJECTS, TOMBSTONES, HOURS):
                if has_table(connection, table):
                    connection.execute(EMPTY.format(table).encode())
            if has_table(connection, SETTINGS):
                connection.execute(FORGET_HORIZON)
    except psycopg.Error as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise CommandError(
            f"nothing was deleted, since the warehouse was not emptied: {why}; "
            "close other connections to it, and reset again"
        ) from error
