"""The engine over raw events: DuckDB, inside the process."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock
from types import MappingProxyType
from typing import Self, get_args
from weakref import finalize

import duckdb
import polars as pl

from analysis.engines.protocol import PARAMETER
from analysis.engines.shared import prepare
from analysis.engines.stopping import checked, stoppable
from analysis.errors import AnalysisError
from analysis.lake.derived import DERIVED, SOURCES, with_derived
from analysis.metrics.arguments import check_choice
from analysis.metrics.statement import TIE_ORDER
from analysis.rows.bots import USER_AGENT, is_bot
from analysis.rows.fields import KEY
from analysis.rows.orders import read_items, read_orders
from analysis.rows.prices import checked_decimals
from analysis.rows.reader import OCCURRENCE, Events
from analysis.rows.selection import ORDER, Clock, no_orders
from chalicelib.contract import COLUMNS, TABLE

__all__ = ["DERIVED_TYPES", "NO_TABLES", "RawEvents"]

DERIVED_TYPES = {name: "BOOLEAN" if kind == pl.Boolean() else "TEXT" for name, kind in DERIVED.items()}

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

NO_TABLES: Mapping[str, str] = MappingProxyType({})
MOST_TABLES = 16  # that stay for further queries
# The columns of the table of objects.
OBJECTS = {
    **{column.name: column.type for column in COLUMNS},
    KEY: "TEXT",
    '"order"': "TEXT",
    "is_bot": "BOOLEAN",
}
# Of each event, all objects but the first received. Few events have several.
DELETE_REPEATED = """
DELETE FROM objects WHERE rowid IN (
    SELECT number
    FROM (
        SELECT rowid AS number, row_number() OVER (PARTITION BY event_id ORDER BY event_timestamp, key) AS place
        FROM objects
        WHERE event_id IN (SELECT event_id FROM objects GROUP BY event_id HAVING count(*) > 1)
    )
    WHERE place > 1
)
"""
PLACING = """
SELECT event_id, event_timestamp, event_name, user_login_state, "order"
FROM objects
WHERE event_name = 'checkout_complete' AND "order" IS NOT NULL
"""


class RawEvents:
    """Raw events in DuckDB, in memory or in a temporary file. Threads may share one object."""

    def __init__(
        self,
        events: Events | pl.DataFrame | Iterable[pl.DataFrame],
        clock: Clock | None = None,
        *,
        price_decimals: int | None = None,
    ) -> None:
        """Load events, as `read_events` gives them.

        Args:
            events: The events that `read_events` gives, or a frame of them: one row per event id, with the contract's
                columns. Revenue also needs the column `order`: the JSON text of this member of the raw object (String,
                null if absent). A frame does not know the orders before its range. Several frames are loaded one after
                the other, without revenue. Metrics of pages, devices and acquisition need the derived columns, or the
                fields `page_url`, `referrer`, `user_agent` and `time_zone`, from which they are derived.
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
        frames = _frames(events)
        frame = next(frames)
        self.price_decimals = read.price_decimals if read else checked_decimals(price_decimals)
        self.clock: Clock = clock or (read.clock if read else "received")
        check_choice("clock", self.clock, get_args(Clock))
        if read and read.clock == "occurred" != self.clock:
            raise AnalysisError("these events occurred in the range: read the events that were received in it")
        names = [*(column.name for column in COLUMNS), *(OCCURRENCE if self.clock == "occurred" else ())]
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise AnalysisError(f"the events lack these columns: {', '.join(missing)}")
        self._open()
        types = {column.name: column.type for column in COLUMNS}
        self.has_derived = any({*names} <= {*frame.columns} for names in (DERIVED, SOURCES))
        if self.has_derived:
            types |= DERIVED_TYPES
        if self.clock == "occurred":
            frame, types = _by_occurrence(frame), types | {"tie_order": "BIGINT"}
        self._create(TABLE, types, self._derived(frame))
        for further in frames:
            self._fill(TABLE, types, self._derived(further))
        self.has_orders = ORDER in frame.columns
        self._orders_before = read.orders_before if read else no_orders()
        if self.has_orders:
            self._create_orders(self._orders_before, frame)

    def _derived(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the derived columns if the frame only has what they are derived from."""
        return with_derived(frame) if self.has_derived and not {*DERIVED} <= {*frame.columns} else frame

    @classmethod
    def of_parts(
        cls,
        parts: Iterable[pl.DataFrame],
        start: datetime,
        price_decimals: int,
        *,
        bots: bool,
        derived: bool = False,
    ) -> Self:
        """Load objects as `read_in_parts` gives them, into a temporary file: nothing is kept in memory.

        Args:
            parts: Rows with `key`, the contract's columns, `order` and `user_agent`, duplicates and all. Of each event
                the object that was received first counts.
            start: The start of the range, aware: what was received before does not count again.
            price_decimals: How many decimals the prices keep.
            bots: Keep the events of bots.
            derived: Add the derived columns. The rows need all fields from which they are derived.
        """
        raw = cls.__new__(cls)
        raw.price_decimals, raw.clock, raw.has_orders, raw.has_derived = price_decimals, "received", True, derived
        raw._prepare()  # noqa: SLF001  # this class's own
        raw._load(parts, start, bots=bots)  # noqa: SLF001  # as above
        return raw

    def _prepare(self) -> None:
        """Open a database in a temporary file."""
        directory = mkdtemp(prefix="clickstream-")
        finalize(self, rmtree, directory, ignore_errors=True)
        self._open(Path(directory) / "events.duckdb")

    def _open(self, file: Path | None = None) -> None:
        """Open a database in a file, or in memory."""
        database = duckdb.connect(":memory:" if file is None else str(file))
        prepare(database)
        self._use(database.cursor)

    def _use(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        """Use a database, to which this gives connections."""
        self._connect = connect
        self._tables: dict[str, None] = {}
        self._keeping = Lock()
        self._database = connect()
        self._database.execute(f"CREATE SCHEMA IF NOT EXISTS {TABLE.partition('.')[0]}")

    @property
    def orders_before(self) -> pl.DataFrame:
        """The events before the range that may have placed an order, with the columns of `no_orders`."""
        return self._orders_before

    @property
    def count(self) -> int:
        """How many events there are."""
        return int(self.query(f"SELECT count(*) FROM {TABLE}", {}).item())  # noqa: S608  # our own name

    def frame(self) -> pl.DataFrame:
        """Give the events that `of_parts` loaded, with the contract's columns and `order`, in the order of receipt."""
        names = ", ".join(column.name for column in COLUMNS)
        return self.query(f'SELECT {names}, "order" FROM objects ORDER BY event_timestamp, key', {})  # noqa: S608  # our own names

    def _load(self, parts: Iterable[pl.DataFrame], start: datetime, *, bots: bool) -> None:
        self._load_objects(parts)
        if not bots:
            self._database.execute("DELETE FROM objects WHERE is_bot")
        placing = self.query(PLACING, {})
        is_before = pl.col("event_timestamp") < start.astimezone(UTC)
        self._orders_before = placing.filter(is_before)
        self._create_orders(self._orders_before, placing.filter(~is_before))
        self._database.execute("DELETE FROM objects WHERE event_timestamp < $start", {"start": start})
        columns = ", ".join([*(column.name for column in COLUMNS), *(DERIVED if self.has_derived else ())])
        self._database.execute(f"CREATE VIEW {TABLE} AS SELECT {columns} FROM objects")  # noqa: S608  # our own names

    def _load_objects(self, parts: Iterable[pl.DataFrame]) -> None:
        """Load objects, of each event the one that was received first."""
        types = {**OBJECTS, **(DERIVED_TYPES if self.has_derived else {})}
        self._database.execute(f"CREATE TABLE objects ({', '.join(map(' '.join, types.items()))})")
        for part in checked(parts):
            rows = with_derived(part) if self.has_derived else part.with_columns(is_bot=is_bot(part[USER_AGENT]))
            self._fill("objects", types, rows)
        self._database.execute(DELETE_REPEATED)

    def _create_orders(self, before: pl.DataFrame, events: pl.DataFrame) -> None:
        placing = pl.concat([before, events.select(no_orders().columns)])
        self._create("orders", ORDERS, _placed(placing))
        self._create("order_items", ORDER_ITEMS, read_items(events))

    def query(self, sql: str, parameters: Mapping[str, object], tables: Mapping[str, str] = NO_TABLES) -> pl.DataFrame:
        """Run one query, as `Engine` says.

        If the events came with `order`, the query may also use the tables `orders`, with the columns of `read_orders`,
        the event's time as `placed_at`, and its `login_state`, and `order_items`, with the columns of `read_items`.
        `orders` also holds orders of events before the range.

        Args:
            sql: The query.
            parameters: The value of each parameter.
            tables: Further tables, as queries with the same parameters. Each is computed once for all queries, so its
                name has to say which query with which parameters it is.
        """
        for name, text in tables.items():
            self._keep(name, text, parameters)
        if self.clock == "occurred":
            sql = sql.replace(TIE_ORDER, "tie_order")
        with self._connect() as cursor, stoppable(cursor.interrupt):
            frame: pl.DataFrame = cursor.sql(sql, params=_used(sql, parameters)).pl()
            return frame

    def _keep(self, name: str, sql: str, parameters: Mapping[str, object]) -> None:
        """Make a table, unless it is there. The table that was not used the longest goes first."""
        if self.clock == "occurred":
            sql = sql.replace(TIE_ORDER, "tie_order")
        with self._keeping, self._connect() as cursor:
            if name not in self._tables:
                with stoppable(cursor.interrupt):
                    cursor.execute(f"CREATE TABLE {name} AS {sql}", _used(sql, parameters))
            self._tables.pop(name, None)
            self._tables[name] = None
            while len(self._tables) > MOST_TABLES:
                oldest = next(iter(self._tables))
                del self._tables[oldest]
                cursor.execute(f"DROP TABLE {oldest}")

    def _create(self, table: str, types: Mapping[str, str], frame: pl.DataFrame) -> None:
        # Copied once into DuckDB's own columns: every query over a registered frame would convert it again.
        columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
        self._database.execute(f"CREATE TABLE {table} ({columns})")
        self._fill(table, types, frame)

    def _fill(self, table: str, types: Mapping[str, str], frame: pl.DataFrame) -> None:
        columns = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in types.items())
        self._database.register("frame", frame.select(name.strip('"') for name in types).to_arrow())
        self._database.execute(f"INSERT INTO {table} SELECT {columns} FROM frame")  # noqa: S608  # our own names
        self._database.unregister("frame")


def _used(sql: str, parameters: Mapping[str, object]) -> dict[str, object]:
    """Give the parameters that a query uses: DuckDB refuses others."""
    return {name: parameters[name] for name in {*PARAMETER.findall(sql)} & parameters.keys()}


def _frames(events: Events | pl.DataFrame | Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    if isinstance(events, Events):
        yield events.frame
    elif isinstance(events, pl.DataFrame):
        yield events
    else:
        yield from events


def _by_occurrence(events: pl.DataFrame) -> pl.DataFrame:
    """Make `occurred_at` the time of the events, and number them in their order as `tie_order`."""
    ordered = events.sort("occurred_at", "client_id", "tab_id", "seq", "event_id", nulls_last=False)
    return ordered.with_columns(pl.col("occurred_at").alias("event_timestamp")).with_row_index("tie_order")


def _placed(events: pl.DataFrame) -> pl.DataFrame:
    """Read the orders of events, with the time and the login state of each."""
    times = events.select("event_id", placed_at="event_timestamp", login_state="user_login_state")
    return read_orders(events).join(times, on="event_id")
