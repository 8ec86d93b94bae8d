"""The warehouse: PostgreSQL over one connection that is kept, and opened again when it has died."""

import re
from functools import cache
from threading import Lock
from typing import Any

import psycopg
from psycopg import conninfo, sql

from chalicelib.contract import COLUMNS, CREATE_TABLE, TABLE
from chalicelib.convert import to_text
from chalicelib.errors import SettingsError, WarehouseUnavailable
from chalicelib.flatten import Row

__all__ = ["CREATE_REJECTS", "INSERT", "REJECTS", "Warehouse", "open_warehouse"]

REJECTS = "public.clickstream_rejects"

CREATE_REJECTS = f"""
CREATE TABLE IF NOT EXISTS {REJECTS} (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    reason TEXT NOT NULL,
    first_seen TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (bucket, key)
);
"""

INSERT = f"""
INSERT INTO {TABLE} ({", ".join(column.name for column in COLUMNS)})
VALUES ({", ".join(["%s"] * len(COLUMNS))})
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608  # made of the contract's names only

INSERT_REJECT = f"""
INSERT INTO {REJECTS} (bucket, key, reason)
VALUES (%s, %s, %s)
ON CONFLICT (bucket, key) DO NOTHING
"""  # noqa: S608  # made of the contract's names only

# Several Lambdas may meet an empty warehouse at once, and CREATE TABLE IF NOT EXISTS is not safe against that.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('clickstream: create tables'))"

# A connection can die in silence while a Lambda sleeps: without these, the next statement would wait for minutes.
CONNECTION_DEFAULTS = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "clickstream-projector",
    "client_encoding": "utf8",
}


class Warehouse:
    """Rows and rejects of one PostgreSQL database; its tables are created when they are first missed.

    Threads may share it: they take turns.
    """

    def __init__(self, url: str) -> None:
        """Take a libpq URL or connection string. Raises SettingsError if it is neither."""
        if not url:
            raise SettingsError("DW_URL is not set: it names the warehouse, as postgresql://user@host/database")
        try:
            self._parameters: dict[str, Any] = {**CONNECTION_DEFAULTS, **conninfo.conninfo_to_dict(url)}
        except psycopg.ProgrammingError:
            # Without the cause: its text may quote the URL, password and all.
            raise SettingsError("DW_URL is not a PostgreSQL URL, as postgresql://user@host/database") from None
        # An `@` or `/` in a password would make the rest of it a host or a port, which errors then name.
        if "@" in str(self._parameters.get("host", "")) or re.search(r"[^0-9,]", str(self._parameters.get("port", ""))):
            raise SettingsError("DW_URL is not a PostgreSQL URL: percent-encode the special characters of its password")
        self._connection: psycopg.Connection | None = None
        self._lock = Lock()

    def insert(self, row: Row) -> bool:
        """Insert one row; False if its event id is already known. Raises WarehouseUnavailable."""
        return self._run(INSERT, row, CREATE_TABLE) == 1

    def reject(self, bucket: str, key: str, reason: str) -> None:
        """Name an object that can never become a row; the first reason stays. Raises WarehouseUnavailable."""
        self._run(INSERT_REJECT, (to_text(bucket), to_text(key), to_text(reason)), CREATE_REJECTS)

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, statement: str, parameters: tuple[Any, ...], create: str) -> int:
        """Run one statement and give its row count; once more if a kept connection turns out to be dead."""
        with self._lock:
            kept = self._connection is not None
            try:
                return self._execute(statement, parameters, create)
            except psycopg.Error as error:
                self.close()
                if not kept:
                    raise WarehouseUnavailable(f"the warehouse failed: {_reason(error)}") from error
        return self._run(statement, parameters, create)

    def _execute(self, statement: str, parameters: tuple[Any, ...], create: str) -> int:
        if self._connection is None:
            self._connection = self._connect()
        try:
            return self._connection.execute(statement, parameters).rowcount
        except psycopg.errors.UndefinedTable:
            _create(self._connection, create)
            return self._connection.execute(statement, parameters).rowcount

    def _connect(self) -> psycopg.Connection:
        # No prepared statements: they tie a session to one backend, which poolers do not promise.
        return psycopg.connect(**self._parameters, autocommit=True, prepare_threshold=None)


@cache
def open_warehouse(url: str) -> Warehouse:
    """The warehouse of this process, kept across invocations."""
    return Warehouse(url)


def _create(connection: psycopg.Connection, statements: str) -> None:
    """Create one table, and no other: its owner may be somebody else."""
    with connection.transaction():
        connection.execute(LOCK)
        connection.execute(sql.SQL(statements))


def _reason(error: psycopg.Error) -> str:
    """What PostgreSQL says in one line; only the kind of error where its text would quote the row."""
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return type(error).__name__
    return error.diag.message_primary or next(iter(str(error).splitlines()), type(error).__name__)
