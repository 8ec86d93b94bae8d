"""The two engines that compute metrics: DuckDB over raw events, and PostgreSQL over the warehouse.

Both have the table `public.clickstream_events` with the contract's columns, take parameters as `$name`, and work in
UTC, so that one SQL file gives the same result from both. SQL types become these types of a frame: BIGINT Int64, DOUBLE
PRECISION Float64, TIMESTAMPTZ Datetime("us", "UTC"), DATE Date, UUID and TEXT String.
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
from chalicelib.errors import NewerWarehouse, SettingsError
from chalicelib.warehouse.client import SESSION_SETTINGS, UPGRADE, Warehouse, pin, reason
from chalicelib.warehouse.schema import SCHEMA

__all__ = ["Engine", "RawEvents", "WarehouseEvents"]

# Floats with every digit, and names that no other schema can take.
READER_SETTINGS = {"extra_float_digits": "1", "search_path": "pg_catalog, public"}

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
    """Runs SQL queries over `public.clickstream_events`."""

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query.

        Args:
            sql: The query, with parameters written as `$name`.
            parameters: The value of each parameter by its name. Others are ignored.

        Returns:
            The rows, in the query's order.

        Raises:
            NoTable: The warehouse has no table, because no event has been projected yet. This is an AnalysisError.
            AnalysisError: The events cannot be read.
        """
        ...


class RawEvents:
    """Raw events in DuckDB, in memory. Threads may share one object."""

    def __init__(self, events: pl.DataFrame) -> None:
        """Load events, as `read_events` gives them.

        Args:
            events: One row per event id, with the contract's columns. Revenue also needs the column `order`: the JSON
                text of this member of the raw object (String, null if absent).

        Raises:
            AnalysisError: A column of the contract is missing.
        """
        missing = [column.name for column in COLUMNS if column.name not in events.columns]
        if missing:
            raise AnalysisError(f"the events lack these columns: {', '.join(missing)}")
        self._database = duckdb.connect()
        self._database.execute("SET GLOBAL TimeZone = 'UTC'")
        self._database.execute(f"CREATE SCHEMA {TABLE.partition('.')[0]}")
        self._create(TABLE, {column.name: column.type for column in COLUMNS}, events)
        self.has_orders = "order" in events.columns
        if self.has_orders:
            types = {"event_id": "UUID", "order_id": "TEXT", "currency": "TEXT", "total": "DECIMAL(38, 18)"}
            self._create("orders", types | {"items": "BIGINT"}, read_orders(events))

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says.

        If the events came with `order`, the query may also use the table `orders`, with the columns of `read_orders`.
        """
        # DuckDB takes no other parameters.
        named = {name: parameters[name] for name in {*_PARAMETER.findall(sql)} & parameters.keys()}
        with self._database.cursor() as cursor:
            frame: pl.DataFrame = cursor.sql(sql, params=named).pl()
            return frame

    def _create(self, table: str, types: Mapping[str, str], frame: pl.DataFrame) -> None:
        # Copied once into DuckDB's own columns: every query over a registered frame would convert it again.
        columns = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in types.items())
        self._database.register("frame", frame.select(types.keys()).to_arrow())
        self._database.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM frame")  # noqa: S608  # our own names
        self._database.unregister("frame")


class WarehouseEvents:
    """The warehouse, read only. Each query opens its own connection, so threads may share one object."""

    def __init__(self, url: str, timeout: float = 60) -> None:
        """Remember where the warehouse is.

        Args:
            url: A libpq URL.
            timeout: Seconds after which a query is stopped.

        Raises:
            AnalysisError: The text is not a libpq URL.
        """
        try:
            Warehouse(url)  # its error does not quote the password
        except SettingsError as error:
            raise AnalysisError(str(error)) from None
        self._url = url
        self._timeout = timeout
        self._is_known = False

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says.

        Raises AnalysisError also if the query takes longer than the timeout, or the warehouse is newer than the code.
        """
        statement = _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
        try:
            with psycopg.connect(self._url, connect_timeout=5, application_name="clickstream-analysis") as connection:
                self._prepare(connection)
                if not self._is_known:
                    SCHEMA.refuse_newer(connection)
                    self._is_known = True
                # A pipeline takes one statement at a time: none can end the read-only transaction, and write after it.
                with connection.pipeline():
                    cursor = connection.execute(statement.encode(), parameters)
                    rows = cursor.fetchall()
                schema = {column.name: _DTYPES.get(column.type_code) for column in cursor.description or ()}
                return pl.DataFrame(rows, schema, orient="row")
        except NewerWarehouse as error:
            raise AnalysisError(str(error)) from None
        except psycopg.errors.UndefinedColumn as error:
            raise AnalysisError(f"{reason(error)}: if it is the contract's, {UPGRADE}") from error
        except psycopg.errors.UndefinedTable:
            raise NoTable(f"the warehouse has no table {TABLE}: no event has been projected yet") from None
        except psycopg.errors.QueryCanceled:
            raise AnalysisError(f"the query took more than {self._timeout:g} s: choose a shorter range") from None
        except psycopg.Error as error:
            raise AnalysisError(f"the warehouse does not answer: {reason(error)}") from error

    def _prepare(self, connection: psycopg.Connection) -> None:
        """Set the options of this transaction. They are not options of the connection, because poolers refuse those."""
        connection.read_only = True
        connection.prepare_threshold = None
        connection.adapters.register_loader("uuid", TextLoader)
        timeout = str(round(self._timeout * 1000))
        pin(connection, {**SESSION_SETTINGS, **READER_SETTINGS, "statement_timeout": timeout}, is_local=True)
