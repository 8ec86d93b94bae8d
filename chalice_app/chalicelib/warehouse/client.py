"""The warehouse: PostgreSQL over one connection that is kept, and opened again when it has died."""

from functools import cache, partial
from threading import Lock
from typing import Any

import psycopg
from psycopg import sql

from chalicelib.contract import COLUMNS, CREATE_TABLE, TABLE, Value
from chalicelib.convert import to_text
from chalicelib.errors import WarehouseUnavailable
from chalicelib.flatten import Row
from chalicelib.settings import Settings
from chalicelib.warehouse.credentials import Credentials, Parameters, credentials_of, parameters_of

__all__ = [
    "INSERT",
    "INSERT_REJECT",
    "REJECTS",
    "TOMBSTONES",
    "Warehouse",
    "create_tables",
    "has_table",
    "open_warehouse",
    "reason",
]

REJECTS = "public.clickstream_rejects"
# Made by the first erasure, together with a trigger that keeps rows of who was erased out.
TOMBSTONES = "public.clickstream_tombstones"

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

KNOWN = f"SELECT FROM {TABLE} WHERE event_id = %s"  # as above

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

    def __init__(self, credentials: str | Credentials) -> None:
        """Take a libpq URL or connection string, or what reads its parameters. Raises SettingsError for no URL."""
        if isinstance(credentials, str):
            credentials = partial(dict, parameters_of(credentials))
        self._credentials = credentials
        self._parameters: Parameters | None = None
        self._connection: psycopg.Connection | None = None
        self._lock = Lock()

    def insert(self, row: Row) -> bool:
        """Insert one row; False if its event id is already known, or its person erased. Raises WarehouseUnavailable."""
        return self._run(INSERT, row, CREATE_TABLE) == 1

    def is_known(self, event_id: Value) -> bool:
        """Whether there is a row of this event id. Raises WarehouseUnavailable."""
        return self._run(KNOWN, (event_id,), CREATE_TABLE) == 1

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
                    raise WarehouseUnavailable(f"the warehouse failed: {reason(error)}") from error
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
        """Connect with the parameters that are known, or, if the server refuses those, with those that hold now."""
        known, self._parameters = self._parameters, self._parameters or self._credentials()
        try:
            return _open(self._parameters)
        except psycopg.OperationalError:
            # libpq does not say whether it was the password, which may have been changed since.
            if known is None or (now := self._credentials()) == known:
                raise
        self._parameters = now
        return _open(now)


@cache
def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of this process, kept across invocations. Raises SettingsError."""
    return Warehouse(credentials_of(settings))


def create_tables(connection: psycopg.Connection) -> None:
    """Create the tables that are not there; of one that is, the owner may be somebody else."""
    for table, statements in ((TABLE, CREATE_TABLE), (REJECTS, CREATE_REJECTS)):
        if not has_table(connection, table):
            _create(connection, statements)


def has_table(connection: psycopg.Connection, table: str) -> bool:
    """Whether a table is there."""
    return connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,)


def reason(error: psycopg.Error) -> str:
    """What PostgreSQL says in one line; only the kind of error where its text would quote the row."""
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return type(error).__name__
    return error.diag.message_primary or next(iter(str(error).splitlines()), type(error).__name__)


def _open(parameters: Parameters) -> psycopg.Connection:
    # No prepared statements: they tie a session to one backend, which poolers do not promise.
    return psycopg.connect(**{**CONNECTION_DEFAULTS, **parameters}, autocommit=True, prepare_threshold=None)


def _create(connection: psycopg.Connection, statements: str) -> None:
    """Create one table, and no other: its owner may be somebody else."""
    with connection.transaction():
        connection.execute(LOCK)
        connection.execute(sql.SQL(statements))
