"""Where metrics are computed: DuckDB over raw events, or PostgreSQL over the warehouse.

Both hold `public.clickstream_events` with the contract's columns, take parameters as `$name`, and are in UTC, so that
one SQL file gives one answer. In frames, BIGINT is Int64, DOUBLE PRECISION Float64, TIMESTAMPTZ Datetime("us", "UTC"),
DATE Date, UUID and TEXT String.
"""

import re
from collections.abc import Mapping
from typing import Protocol

import duckdb
import polars as pl
import psycopg
from psycopg.postgres import types as postgres_types
from psycopg.types.string import TextLoader

from analysis.errors import AnalysisError, NoTable
from analysis.rows.orders import read_orders
from chalicelib.contract import COLUMNS, TABLE
from chalicelib.errors import SettingsError
from chalicelib.warehouse.client import Warehouse, reason

__all__ = ["Engine", "RawEvents", "WarehouseEvents"]

_PARAMETER = re.compile(r"\$([a-z_]+)")

_DTYPES: Mapping[int, pl.DataType] = {
    postgres_types[name].oid: dtype
    for name, dtype in {
        "bool": pl.Boolean(),
        "int4": pl.Int32(),
        "int8": pl.Int64(),
        "float8": pl.Float64(),
        "text": pl.String(),
        "uuid": pl.String(),
        "date": pl.Date(),
        "timestamptz": pl.Datetime("us", "UTC"),
    }.items()
}


class Engine(Protocol):
    """Runs one SQL query over `public.clickstream_events`."""

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Give the rows of `sql`, in its order; every `$name` in it is bound to `parameters[name]`.

        Raises AnalysisError if the events cannot be asked; NoTable, which is one, before the first event.
        """
        ...


class RawEvents:
    """Raw events in DuckDB, in memory. Threads may share it."""

    def __init__(self, events: pl.DataFrame) -> None:
        """Take one row per event id, with the contract's columns.

        A further column `order`, the JSON text of that member of the raw object (String, null where absent), is what
        revenue is read from. Raises AnalysisError if a column of the contract is missing.
        """
        missing = [column.name for column in COLUMNS if column.name not in events.columns]
        if missing:
            raise AnalysisError(f"these columns of the events are missing: {', '.join(missing)}")
        self._database = duckdb.connect()
        self._database.execute("SET GLOBAL TimeZone = 'UTC'")
        self._database.execute(f"CREATE SCHEMA {TABLE.partition('.')[0]}")
        self._create(TABLE, {column.name: column.type for column in COLUMNS}, events)
        self.has_orders = "order" in events.columns
        if self.has_orders:
            types = {"event_id": "UUID", "order_id": "TEXT", "currency": "TEXT", "total": "DECIMAL(38, 18)"}
            self._create("orders", types | {"items": "BIGINT"}, read_orders(events))

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """See `Engine`; with orders there is also a relation `orders`, as `read_orders` describes it."""
        with self._database.cursor() as cursor:
            frame: pl.DataFrame = cursor.sql(sql, params=dict(parameters)).pl()
            return frame

    def _create(self, table: str, types: Mapping[str, str], frame: pl.DataFrame) -> None:
        # DuckDB's own columns, once: every query over a registered frame would convert it again.
        columns = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in types.items())
        self._database.register("frame", frame.select(types.keys()).to_arrow())
        self._database.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM frame")  # noqa: S608  # our own names
        self._database.unregister("frame")


class WarehouseEvents:
    """The warehouse, which is only ever read. Each query has a connection of its own, so threads may share it."""

    def __init__(self, url: str, timeout: float = 60) -> None:
        """Take a libpq URL, and the seconds after which a query is given up. Raises AnalysisError for another text."""
        try:
            Warehouse(url)  # says what is wrong with a URL without quoting its password
        except SettingsError as error:
            raise AnalysisError(str(error)) from None
        self._url = url
        self._timeout = timeout

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """See `Engine`. Raises AnalysisError also if it takes longer than the timeout."""
        statement = _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
        try:
            with psycopg.connect(self._url, connect_timeout=5, application_name="clickstream-analysis") as connection:
                self._prepare(connection)
                cursor = connection.execute(statement.encode(), parameters)
                schema = {column.name: _DTYPES.get(column.type_code) for column in cursor.description or ()}
                return pl.DataFrame(cursor.fetchall(), schema, orient="row")
        except psycopg.errors.UndefinedTable:
            raise NoTable(f"the warehouse has no table {TABLE}: no event has been projected yet") from None
        except psycopg.errors.QueryCanceled:
            raise AnalysisError(f"the warehouse needed more than {self._timeout:g} s: take a shorter range") from None
        except psycopg.Error as error:
            raise AnalysisError(f"the warehouse does not answer: {reason(error)}") from error

    def _prepare(self, connection: psycopg.Connection) -> None:
        """Set what holds for this one transaction: poolers refuse the same as options of the connection."""
        connection.read_only = True
        connection.prepare_threshold = None
        connection.adapters.register_loader("uuid", TextLoader)
        connection.execute(
            "SELECT set_config('timezone', 'UTC', TRUE), set_config('statement_timeout', %s, TRUE)",
            [str(round(self._timeout * 1000))],
        )
