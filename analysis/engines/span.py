"""One range of events in DuckDB, of which the rows stay in the lake's files; what raw gives besides is in a table."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from itertools import chain
from threading import RLock
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from analysis.engines.raw import NO_TABLES, RawEvents
from analysis.engines.shared import shared_database
from analysis.lake.derived import DERIVED
from analysis.lake.schema import PARTITION_HOUR
from analysis.raw.partitions import Days, covering_hours
from analysis.rows.bots import USER_AGENT, is_bot
from analysis.rows.fields import KEY
from analysis.rows.selection import ORDER, Selection
from chalicelib.contract import COLUMNS, TABLE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["Relation", "SpanEvents"]

# Gives SQL for rows of the lake, to be written after FROM: of a database, with these columns, under this prefix, and
# from the files of these days, or from all if they are None.
Relation: TypeAlias = Callable[["DuckDBPyConnection", Sequence[str], str, Container[date] | None], str]

NAMES = ", ".join(column.name for column in COLUMNS)
# The lake has ids as text.
LAKE_NAMES = NAMES.replace("event_id", "CAST(event_id AS UUID) AS event_id")
READ = (*(column.name for column in COLUMNS), KEY, ORDER, PARTITION_HOUR, USER_AGENT)
DERIVED_NAMES = "".join(f", {name}" for name in DERIVED)
ORDERS = frozenset({"orders", "order_items"})
PLACED = "event_name = 'checkout_complete' AND \"order\" IS NOT NULL"
# Events of which the lake has a row, and raw an object that is read besides. The rows are few: to find them first, by
# their ids alone, takes half the time.
SHARED = """
CREATE TABLE shared AS
WITH ids AS (SELECT CAST(event_id AS TEXT) AS event_id, event_timestamp, key FROM objects)
SELECT ids.event_id, (rows.event_timestamp, rows.key) < (ids.event_timestamp, ids.key) AS is_first
FROM ids
INNER JOIN (
    SELECT event_id, event_timestamp, key
    FROM lake_rows
    WHERE event_id IN (SELECT event_id FROM ids) AND ({condition})
) AS rows USING (event_id)
"""


class SpanEvents(RawEvents):
    """The events of one range, of the clock `received`. Threads may share one object."""

    def __init__(
        self,
        relation: Relation,
        selection: Selection,
        price_decimals: int,
        watched: Callable[[], AbstractContextManager[None]],
        rest: Iterable[pl.DataFrame] = (),
        *,
        bots: bool = True,
        is_in_order: bool = True,
        derived: bool = True,
        load: bool = False,
    ) -> None:
        """Open the range.

        Args:
            relation: The rows of the lake, of the range and before it.
            selection: The range.
            price_decimals: How many decimals the prices keep.
            watched: What to do reading in: it tells damaged files from other errors.
            rest: What raw gives besides, as `read_in_parts` does.
            bots: Keep the events of bots.
            is_in_order: Whether every row's time is within the hour of its object. If not, rows count only if their
                objects are in the hours of the range, as they do when raw is read.
            derived: Have the derived columns. Then `rest` needs all fields from which they are derived.
            load: Copy the events into a temporary file first. This pays from about five queries on.
        """
        self.price_decimals, self.clock, self.has_orders, self.has_derived = price_decimals, "received", True, derived
        self._watched, self._selection = watched, selection
        self._added = DERIVED_NAMES if derived else ""
        self._lock, self._has_loaded_orders, self._has_earlier = RLock(), False, False
        parts = iter(rest)
        first = next(parts, None)
        self._has_objects = first is not None
        if self._has_objects or load:
            self._prepare()
        else:
            self._use(shared_database(self))
        self._relation = relation
        self._before, here = _conditions(selection, is_in_order=is_in_order)
        every = f"{self._before} OR {here}"
        if self._has_objects or not bots:
            with watched():
                self._database.execute(f"CREATE VIEW lake_rows AS FROM {relation(self._database, READ, 'lake', None)}")
        if first is not None:
            self._load_objects(chain([first], parts))
        has_shared = self._has_objects and self._resolve(every)
        self._kept = "rows.event_id NOT IN (SELECT event_id FROM shared WHERE NOT is_first)" if has_shared else "TRUE"
        if not bots:
            if self._has_objects:
                self._database.execute("DELETE FROM objects WHERE is_bot")
            self._kept += self._without_bots(every)
        days = Days.of_hours(*covering_hours(selection.start, selection.end))
        self._create_view("events", days, here, ">=")
        if load:
            with watched():
                self._database.execute(f"CREATE TABLE {TABLE} AS SELECT {NAMES}{self._added} FROM events")  # noqa: S608  # as above
        else:
            self._database.execute(f"CREATE VIEW {TABLE} AS SELECT {NAMES}{self._added} FROM events")  # noqa: S608  # as above

    def _create_view(self, name: str, days: Container[date] | None, condition: str, comparison: str) -> None:
        """Make a view of the events of these days, on one side of the start of the range."""
        with self._watched():
            rows = self._relation(self._database, (*READ, *DERIVED) if self.has_derived else READ, f"{name}_rows", days)
            besides = f'{KEY}, "{ORDER}"{self._added}'
            view = f"SELECT {LAKE_NAMES}, {besides} FROM {rows} AS rows WHERE ({condition}) AND {self._kept}"  # noqa: S608  # our own names
            if self._has_objects:
                start = _literal(self._selection.start)
                view += f" UNION ALL SELECT {NAMES}, {besides} FROM objects WHERE event_timestamp {comparison} {start}"  # noqa: S608  # as above
            self._database.execute(f"CREATE VIEW {name} AS {view}")

    def query(self, sql: str, parameters: Mapping[str, object], tables: Mapping[str, str] = NO_TABLES) -> pl.DataFrame:
        """Run one query, as `RawEvents` does."""
        with self._watched():
            if any(name in sql for name in ORDERS):
                self._load_orders()
            return super().query(sql, parameters, tables)

    def frame(self) -> pl.DataFrame:
        """Give the events, with the contract's columns and `order`, in the order of receipt."""
        return self.query(f'SELECT {NAMES}, "{ORDER}" FROM events ORDER BY event_timestamp, {KEY}', {})  # noqa: S608  # our own names

    @property
    def orders_before(self) -> pl.DataFrame:
        """The events before the range that may have placed an order."""
        with self._lock:
            if not self._has_earlier:  # few metrics need it, and a view takes as long as a tenth of a query
                self._create_view("earlier", None, self._before, "<")
                self._has_earlier = True
        return self._placing("earlier")

    def _resolve(self, condition: str) -> bool:
        """Leave each event once, as the first received. Say whether rows of the lake have to be left out."""
        with self._watched():
            self._database.execute(SHARED.format(condition=condition))
        self._database.execute(
            "DELETE FROM objects WHERE CAST(event_id AS TEXT) IN (SELECT event_id FROM shared WHERE is_first)"
        )
        return bool(super().query("SELECT count(*) FROM shared WHERE NOT is_first", {}).item())

    def _without_bots(self, condition: str) -> str:
        """Give the condition of rows that bots did not send."""
        with self._watched():
            agents = super().query(f"SELECT DISTINCT {USER_AGENT} FROM lake_rows WHERE {condition}", {})[USER_AGENT]  # noqa: S608  # our own names
        bots = agents.filter(is_bot(agents))
        self._database.register("bots_frame", bots.to_frame().to_arrow())
        self._database.execute("CREATE TABLE bots AS FROM bots_frame")
        self._database.unregister("bots_frame")
        return f" AND ({USER_AGENT} IS NULL OR {USER_AGENT} NOT IN (FROM bots))"

    def _load_orders(self) -> None:
        with self._lock:
            if not self._has_loaded_orders:
                self._create_orders(self.orders_before, self._placing("events"))
                self._has_loaded_orders = True

    def _placing(self, view: str) -> pl.DataFrame:
        names = 'event_id, event_timestamp, event_name, user_login_state, "order"'
        with self._watched():
            return super().query(f"SELECT {names} FROM {view} WHERE {PLACED} ORDER BY event_timestamp, {KEY}", {})  # noqa: S608  # our own names


def _conditions(selection: Selection, *, is_in_order: bool) -> tuple[str, str]:
    """Give the conditions of rows before a range, and of rows in it."""
    since, _ = selection.before
    start, end = selection.start, selection.end
    since = min(since, start - selection.lookback)
    before = f"event_timestamp >= {_literal(since)} AND event_timestamp < {_literal(start)}"
    here = f"event_timestamp >= {_literal(start)} AND event_timestamp < {_literal(end)}"
    if not is_in_order:
        first, last = map(_literal, covering_hours(start, end))
        earliest, _ = covering_hours(since, start)
        before += f" AND {PARTITION_HOUR} >= {_literal(earliest)} AND {PARTITION_HOUR} < {last}"
        here += f" AND {PARTITION_HOUR} >= {first} AND {PARTITION_HOUR} < {last}"
    return before, here


def _literal(moment: datetime) -> str:
    return f"TIMESTAMPTZ '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'"
