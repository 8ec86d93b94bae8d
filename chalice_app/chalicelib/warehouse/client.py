"""The warehouse: PostgreSQL over one connection, which is kept, and opened again when it has died."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock
from typing import Any, TypeVar

import psycopg
from psycopg.errors import UndefinedColumn, UndefinedTable

from chalicelib.convert import to_text
from chalicelib.errors import RowRefused, WarehouseUnavailable
from chalicelib.flatten import Row
from chalicelib.settings import Settings
from chalicelib.warehouse.batch import PROJECTED, insert_rows
from chalicelib.warehouse.credentials import Credentials, Parameters, credentials_of, parameters_of
from chalicelib.warehouse.schema import SCHEMA, Schema
from chalicelib.warehouse.tables import INSERT_REJECT

__all__ = [
    "CONNECTION_DEFAULTS",
    "SESSION_SETTINGS",
    "UPGRADE",
    "Warehouse",
    "is_of_the_row",
    "open_warehouse",
    "pin",
    "reason",
]

# What to do about a table or column that is missing.
UPGRADE = "run 'python -m analysis upgrade' as the owner of its tables"
# Classes of SQLSTATE that say nothing about a row: connection, read-only server, resources, operator, system.
OF_THE_SERVER = ("08", "25", "53", "57", "58")

_T = TypeVar("_T")

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

# A warehouse that may pause takes a connection at once, and answers it once it is awake: after 15 s, as AWS says.
PATIENCE = {"connect_timeout": 30, "tcp_user_timeout": 30_000}

# A role or a database may set these otherwise, and text would be read or written in another way. They are set once for
# each connection. They are not startup options, because poolers refuse those; poolers keep track of all of these.
# Limits that somebody gave a role hold: statement_timeout, lock_timeout, default_transaction_read_only.
SESSION_SETTINGS = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "standard_conforming_strings": "on",
    "timezone": "UTC",
}


class Warehouse:
    """Rows and rejects of one PostgreSQL database. Threads may share it: they take turns.

    A table or column that a statement misses is added, if the role may do that. What no statement misses is left alone,
    so a warehouse that newer code has upgraded takes rows as before.

    Each new connection first sees that the warehouse's prices have the decimals of the schema: every method may raise
    OtherPriceDecimals.
    """

    def __init__(self, credentials: str | Credentials, schema: Schema = SCHEMA, *, may_pause: bool = False) -> None:
        """Take where the warehouse is, and open no connection yet.

        Args:
            credentials: A libpq URL or connection string, or a function that reads its parameters.
            schema: The tables that rows and rejects go to.
            may_pause: Whether the warehouse sleeps when nobody is connected. Then it has the time to wake up, and no
                connection is kept, which would keep it awake.

        Raises:
            SettingsError: The text is not a PostgreSQL URL.
        """
        if isinstance(credentials, str):
            credentials = partial(dict, parameters_of(credentials))
        self._credentials = credentials
        self._schema = schema
        self._may_pause = may_pause
        self._parameters: Parameters | None = None
        self._connection: psycopg.Connection | None = None
        self._lock = Lock()

    def insert(self, row: Row) -> bool:
        """Insert one row, and return whether it is new. Raises what `insert_all` does."""
        return self.insert_all([row]) == [PROJECTED]

    def insert_all(self, rows: Sequence[Row]) -> list[str]:
        """Insert rows in one transaction: all of them or, if it raises, no row.

        Returns:
            For each row `projected`, `already_known` (there is a row of this event id) or `erased` (the event is of a
            person who was erased), as if the rows had been inserted one by one in their order.

        Raises:
            RowRefused: PostgreSQL refuses at least one of the rows.
            WarehouseUnavailable: The warehouse does not answer.
        """
        return self._run(
            lambda connection: self._complete(connection, lambda: insert_rows(connection, self._schema, rows))
        )

    def reject(self, bucket: str, key: str, reason: str) -> None:
        """Record an object that cannot become a row. The first reason stays. Raises WarehouseUnavailable."""
        parameters = (to_text(bucket), to_text(key), to_text(reason))
        statement = INSERT_REJECT.encode()
        self._run(lambda connection: self._complete(connection, lambda: connection.execute(statement, parameters)))

    def execute(self, statement: str, parameters: tuple[Any, ...]) -> psycopg.Cursor:
        """Run one statement, and give its cursor. Raises RowRefused or WarehouseUnavailable."""
        encoded = statement.encode()
        return self._run(lambda connection: self._complete(connection, lambda: connection.execute(encoded, parameters)))

    @contextmanager
    def another(self) -> Iterator[psycopg.Connection]:
        """Give a second connection, which is closed at the end of the block. Raises psycopg.Error."""
        with self._lock:
            connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, work: Callable[[psycopg.Connection], _T]) -> _T:
        """Do some work on the connection; once more if a kept connection turns out to be dead."""
        with self._lock:
            kept = self._connection is not None
            try:
                if self._connection is None:
                    self._connection = self._connect()
                return work(self._connection)
            except psycopg.Error as error:
                if self._connection is not None and is_of_the_row(error):
                    raise RowRefused(f"the warehouse refused the row: {reason(error)}") from error
                self.close()
                if not kept:
                    raise WarehouseUnavailable(f"the warehouse failed: {reason(error)}") from error
            finally:
                if self._may_pause:
                    self.close()
        return self._run(work)

    def _complete(self, connection: psycopg.Connection, work: Callable[[], _T]) -> _T:
        """Do some work; if a table or column is missing, add it, if the role may do that, and do the work again."""
        try:
            return work()
        except (UndefinedTable, UndefinedColumn):
            self._schema.upgrade(connection, as_allowed=True)
        try:
            return work()
        except (UndefinedTable, UndefinedColumn) as error:
            raise WarehouseUnavailable(f"the warehouse failed: {reason(error)}: {UPGRADE}") from error

    def _connect(self) -> psycopg.Connection:
        """Connect, and see that rows of this code fit the rows that are there. Raises OtherPriceDecimals."""
        connection = self._open()
        try:
            self._schema.refuse_other_decimals(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> psycopg.Connection:
        """Connect with the parameters that were read before. If the server refuses them, read them again."""
        known, self._parameters = self._parameters, self._parameters or self._credentials()
        try:
            return self._reach(self._parameters)
        except psycopg.OperationalError:
            # libpq does not say whether the password was wrong; it may have been changed since.
            if known is None or (now := self._credentials()) == known:
                raise
        self._parameters = now
        return self._reach(now)

    def _reach(self, parameters: Parameters) -> psycopg.Connection:
        return _open({**(PATIENCE if self._may_pause else {}), **parameters})


@cache
def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of this process, kept across invocations. Raises SettingsError."""
    schema = SCHEMA.with_decimals(settings.price_decimals)
    return Warehouse(credentials_of(settings), schema, may_pause=settings.dw_may_pause)


def pin(
    connection: psycopg.Connection, settings: Mapping[str, str] = SESSION_SETTINGS, *, is_local: bool = False
) -> None:
    """Set these whatever the role's own settings are: for the session, or only for the current transaction."""
    calls = ", ".join(["set_config(%s, %s, %s)"] * len(settings))
    connection.execute(
        f"SELECT {calls}".encode(),
        [each for name, value in settings.items() for each in (name, value, is_local)],
    )


def reason(error: psycopg.Error) -> str:
    """PostgreSQL's error in one line; if its text would quote the row, only the kind of error and the constraint."""
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        constraint = error.diag.constraint_name
        return type(error).__name__ if constraint is None else f"{type(error).__name__} of {constraint}"
    return error.diag.message_primary or next(iter(str(error).splitlines()), type(error).__name__)


def is_of_the_row(error: psycopg.Error) -> bool:
    """Whether one statement was refused, and PostgreSQL goes on answering others."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)  # psycopg itself cannot send the value
    return not error.sqlstate.startswith(OF_THE_SERVER)


def _open(parameters: Parameters) -> psycopg.Connection:
    # No prepared statements: they tie a session to one backend, which poolers do not promise.
    connection = psycopg.connect(**{**CONNECTION_DEFAULTS, **parameters}, autocommit=True, prepare_threshold=None)
    try:
        pin(connection)
    except psycopg.Error:
        connection.close()
        raise
    return connection
