"""The warehouse as a part of the stack: the embedded PostgreSQL, or another one that the user names."""

from contextlib import closing

import psycopg

from chalicelib.errors import OtherPriceDecimals, SettingsError
from chalicelib.warehouse.client import Warehouse, reason
from chalicelib.warehouse.schema import SCHEMA, Schema
from command_line.errors import CommandError
from emulator.servers.answer_limit import answer_within
from emulator.servers.part import problem_of
from emulator.servers.postgres.server import Postgres

__all__ = ["ExternalWarehouse", "WarehouseServer"]

ANSWER_SECONDS = 5


class WarehouseServer:
    """The embedded PostgreSQL as a part."""

    name = "warehouse"

    def __init__(self, postgres: Postgres, price_decimals: int = 0) -> None:
        self._postgres = postgres
        self._schema = SCHEMA.with_decimals(price_decimals)

    def start(self) -> None:
        """Start PostgreSQL, add the tables and columns that it lacks, and return.

        Raises:
            CommandError: It does not start, or its prices have other decimals than the stack.
        """
        self._postgres.start()
        try:
            with psycopg.connect(self._postgres.url, autocommit=True, connect_timeout=5) as connection:
                self._schema.upgrade(connection)
                _refuse_other_decimals(self._schema, connection)
        except psycopg.Error as error:
            raise CommandError(f"the warehouse was not upgraded: {reason(error)}") from error

    def stop(self) -> None:
        """Stop PostgreSQL after it has written everything to disk."""
        self._postgres.stop()

    def check(self) -> str | None:
        """Run a query; return what is wrong, or None."""
        return _query(self._postgres.url)

    @property
    def is_alive(self) -> bool:
        """Whether the process of PostgreSQL runs."""
        return self._postgres.is_alive

    def last_lines(self) -> list[str]:
        """Return the end of PostgreSQL's log."""
        return self._postgres.last_lines()


class ExternalWarehouse:
    """Another PostgreSQL as a part: it is checked, but never started or stopped."""

    name = "warehouse"
    is_alive = True

    def __init__(self, url: str, price_decimals: int = 0) -> None:
        self._url = url
        self._schema = SCHEMA.with_decimals(price_decimals)

    def start(self) -> None:
        """Raise CommandError if the warehouse does not answer, or its prices have other decimals."""
        problem = self.check()
        if problem is not None:
            raise CommandError(f"the warehouse given by --dw does not answer: {problem}")
        try:
            with (
                psycopg.connect(self._url, connect_timeout=ANSWER_SECONDS) as connection,
                answer_within(ANSWER_SECONDS, connection),
            ):
                _refuse_other_decimals(self._schema, connection)
        except psycopg.Error as error:
            raise CommandError(f"the warehouse given by --dw does not answer: {reason(error)}") from error

    def stop(self) -> None:
        """Do nothing: the stack does not own the warehouse."""

    def check(self) -> str | None:
        """Run a query; return what is wrong, or None."""
        return _query(self._url)

    def last_lines(self) -> list[str]:
        """Return no lines: its log is elsewhere."""
        return []


def _refuse_other_decimals(schema: Schema, connection: psycopg.Connection) -> None:
    try:
        schema.refuse_other_decimals(connection)
    except OtherPriceDecimals as error:
        raise CommandError(str(error)) from None


def _query(url: str) -> str | None:
    def ask() -> None:
        with (
            closing(psycopg.connect(url, autocommit=True, connect_timeout=ANSWER_SECONDS)) as connection,
            answer_within(ANSWER_SECONDS, connection),
        ):
            connection.execute("SELECT 1")

    try:
        Warehouse(url)
    except SettingsError as error:
        return str(error)  # libpq's own text would quote the URL with its password
    return problem_of(ask, psycopg.Error)
