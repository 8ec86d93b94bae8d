"""The two engines that compute metrics: DuckDB over raw events, and PostgreSQL over the warehouse.

Both have the table `public.clickstream_events` with the contract's columns, take parameters as `$name`, and work in
UTC, so that one SQL file gives the same result from both. SQL types become these types of a frame: BIGINT Int64, DOUBLE
PRECISION Float64, TIMESTAMPTZ Datetime("us", "UTC"), DATE Date, UUID and TEXT String.
"""

import re
from collections.abc import Mapping
from typing import Protocol, get_args

import duckdb
import polars as pl
import psycopg
from psycopg.postgres import types as postgres_types
from psycopg.types.string import TextLoader

from analysis.errors import AnalysisError, NoTable
from analysis.metrics.arguments import check_choice
from analysis.metrics.statement import TIE_ORDER
from analysis.prices import checked_decimals
from analysis.rows.orders import read_items, read_orders
from analysis.rows.reader import OCCURRENCE, Events
from analysis.rows.selection import ORDER, Clock, no_orders
from chalicelib.contract import COLUMNS, TABLE
from chalicelib.errors import NewerWarehouse, SettingsError
from chalicelib.warehouse.client import SESSION_SETTINGS, UPGRADE, Warehouse, pin, reason
from chalicelib.warehouse.schema import SCHEMA, recorded_decimals

__all__ = ["Engine", "RawEvents", "WarehouseEvents"]

ORDERS = {
    "event_id": "UUID",
    "order_id": "TEXT",
    "currency": "TEXT",
    "total": "DECIMAL(38, 18)",
    "items": "BIGINT",
    "placed_at": "TIMESTAMPTZ",
    "login_state": "TEXT",
}
ORDER_ITEMS = {"event_id": "UUID", "product_id": "TEXT", "quantity": "BIGINT", "revenue": "DECIMAL(38, 18)"}
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

    @property
    def price_decimals(self) -> int:
        """How many decimals its prices keep: 12.99 is 1299 with 2. Errors are those of `query`."""
        ...

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

    def __init__(
        self, events: Events | pl.DataFrame, clock: Clock | None = None, *, price_decimals: int | None = None
    ) -> None:
        """Load events, as `read_events` gives them.

        Args:
            events: The events that `read_events` gives, or a frame of them: one row per event id, with the contract's
                columns. Revenue also needs the column `order`: the JSON text of this member of the raw object (String,
                null if absent). A frame does not know the orders before its range.
            clock: `received`: the time of an event is its receipt, as in the warehouse; events with the same time are
                in the order of their ids. `occurred`: its time, `event_timestamp` in SQL, is `occurred_at`; events with
                the same time are in the order of client, tab, `seq` and id. By default, the clock by which the events
                were read.
            price_decimals: The decimals that a frame was read with; by default `PRICE_DECIMALS` of the environment.
                `Events` know their own.

        Raises:
            AnalysisError: A column is missing, the decimals are not 0 to 6, or the clock has another value, or is not
                that of the events.
        """
        read = events if isinstance(events, Events) else None
        frame = events if isinstance(events, pl.DataFrame) else events.frame
        self.price_decimals = read.price_decimals if read else checked_decimals(price_decimals)
        self.clock: Clock = clock or (read.clock if read else "received")
        check_choice("clock", self.clock, get_args(Clock))
        if read and read.clock == "occurred" != self.clock:
            raise AnalysisError("these events occurred in the range: read the events that were received in it")
        names = [*(column.name for column in COLUMNS), *(OCCURRENCE if self.clock == "occurred" else ())]
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise AnalysisError(f"the events lack these columns: {', '.join(missing)}")
        self._database = duckdb.connect()
        self._database.execute("SET GLOBAL TimeZone = 'UTC'")
        self._database.execute(f"CREATE SCHEMA {TABLE.partition('.')[0]}")
        types = {column.name: column.type for column in COLUMNS}
        if self.clock == "occurred":
            frame, types = _by_occurrence(frame), types | {"tie_order": "BIGINT"}
        self._create(TABLE, types, frame)
        self.has_orders = ORDER in frame.columns
        if self.has_orders:
            placing = pl.concat([read.orders_before if read else no_orders(), frame.select(no_orders().columns)])
            self._create("orders", ORDERS, _placed(placing))
            self._create("order_items", ORDER_ITEMS, read_items(frame))

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says.

        If the events came with `order`, the query may also use the tables `orders`, with the columns of `read_orders`,
        the event's time as `placed_at`, and its `login_state`, and `order_items`, with the columns of `read_items`.
        `orders` also holds orders of events before the range.
        """
        if self.clock == "occurred":
            sql = sql.replace(TIE_ORDER, "tie_order")
        # DuckDB refuses parameters that the query does not use.
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


def _by_occurrence(events: pl.DataFrame) -> pl.DataFrame:
    """Make `occurred_at` the time of the events, and number them in their order as `tie_order`."""
    ordered = events.sort("occurred_at", "client_id", "tab_id", "seq", "event_id", nulls_last=False)
    return ordered.with_columns(pl.col("occurred_at").alias("event_timestamp")).with_row_index("tie_order")


def _placed(events: pl.DataFrame) -> pl.DataFrame:
    """Read the orders of events, with the time and the login state of each."""
    times = events.select("event_id", placed_at="event_timestamp", login_state="user_login_state")
    return read_orders(events).join(times, on="event_id")


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
        self._price_decimals = 0

    @property
    def price_decimals(self) -> int:
        """How many decimals its prices keep, as it has recorded; those of the environment if it has no table yet."""
        if not self._is_known:
            self.query("SELECT 1 AS one", {})
        return self._price_decimals

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
                    self._price_decimals = checked_decimals(recorded_decimals(connection))
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
