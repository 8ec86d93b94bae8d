"""The engine over the lake: DuckDB reads the columns that a query needs from the lake's files."""

from collections.abc import Container, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, get_args

import polars as pl

from analysis.engines.raw import RawEvents
from analysis.engines.span import Relation, SpanEvents
from analysis.errors import AnalysisError
from analysis.lake.derived import DERIVED
from analysis.lake.files import Files
from analysis.lake.reading.scans import Damage, connect, planned, relation_of, watching
from analysis.lake.reading.tables import Lake, open_lake
from analysis.lake.schema import PARTITION_HOUR, SENT
from analysis.metrics.arguments import check_choice
from analysis.raw.partitions import covering_hours
from analysis.rows.bots import USER_AGENT, without_bots
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import KEY
from analysis.rows.occurrence import BASIS, with_occurred_at
from analysis.rows.projection import CORRUPT_SCHEMA
from analysis.rows.reader import OCCURRENCE, Events
from analysis.rows.selection import DAY, ORDER, Clock, Selection
from chalicelib.contract import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["LakeEvents"]

NAMES = tuple(column.name for column in COLUMNS)
SENDING = {SENT: SENT_AT.name, **{field.name: field.name for field in BASIS if field is not SENT_AT}}
# Without a range, all events are there. Readers look around it, by no more than a year.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)
RANGES = 4  # that are kept open


class LakeEvents:
    """The events of a lake, as it was when it was opened. Threads may share one object.

    Only the columns that a query needs are read, and only the files that may hold events of its range: of the
    parameters `start` and `end`.
    """

    has_orders = True
    has_derived = True

    def __init__(
        self,
        lake: Lake | str | None = None,
        clock: Clock = "received",
        *,
        lookback: timedelta = DAY,
        lookahead: timedelta = DAY,
        bots: bool = True,
    ) -> None:
        """Open the lake.

        Args:
            lake: The lake, as `open_lake` gives it, or where it is; by default the default one.
            clock: When events count, as in `RawEvents`. With `occurred`, the clocks of clients are judged by the events
                of the range and around it, and these are in memory.
            lookback: How long before a range earlier orders are known, and clocks are judged.
            lookahead: With the clock `occurred`, how long after a range an event may have been received.
            bots: Keep the events of crawlers, headless browsers and monitors.

        Raises:
            AnalysisError: There is no lake, or an argument has another value.
        """
        check_choice("clock", clock, get_args(Clock))
        self._lake = lake if isinstance(lake, Lake) else open_lake(lake)
        self.price_decimals = self._lake.tables.price_decimals
        self.clock: Clock = clock
        self._lookback, self._lookahead, self._bots = lookback, lookahead, bots
        self._ranges: dict[Selection, RawEvents] = {}
        self._lock = Lock()

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says, over the events of the range that `start` and `end` of `parameters` name.

        The query may also use the tables `orders` and `order_items`, as in `RawEvents`. Without a range, all events
        are there.
        """
        start, end = (parameters.get(name) for name in ("start", "end"))
        selection = Selection(
            start if isinstance(start, datetime) else FIRST,
            end if isinstance(end, datetime) else LAST,
            self._lookback,
            self.clock,
            self._lookahead if self.clock == "occurred" else timedelta(0),
        )
        try:
            return self._range(selection).query(sql, parameters)
        except Damage as damage:
            raise AnalysisError(f"{damage}: run 'python -m analysis compact --verify'") from None

    def _range(self, selection: Selection) -> RawEvents:
        with self._lock:
            if selection not in self._ranges:
                while len(self._ranges) >= RANGES:
                    del self._ranges[next(iter(self._ranges))]
                self._ranges[selection] = self._open(selection)
            return self._ranges[selection]

    def _open(self, selection: Selection) -> RawEvents:
        table = self._lake.tables.events
        tasks = planned(table, *_hours(selection))
        watched = partial(watching, table, tasks)

        def relation(
            database: "DuckDBPyConnection", columns: Sequence[str], name: str, days: Container[date] | None = None
        ) -> str:
            of_days = tasks if days is None else [task for task in tasks if Files.day(task) in days]
            return relation_of(database, table, of_days, columns, name)

        if self.clock == "occurred":
            with watched():
                return self._occurred(relation, selection)
        return SpanEvents(relation, selection, self.price_decimals, watched, bots=self._bots, is_in_order=False)

    def _occurred(self, relation: Relation, selection: Selection) -> RawEvents:
        """Compute when each event occurred, from all events of the range and around it."""
        columns = list(dict.fromkeys((*NAMES, KEY, ORDER, USER_AGENT, *SENDING, *DERIVED)))
        database = connect()
        source = relation(database, [*columns, PARTITION_HOUR], "lake", None)
        since, until = _hours(selection)
        first, _ = covering_hours(selection.start, selection.end)
        rows = database.sql(
            # As in raw, an object in an hour before the range is not an event of the range.
            f"FROM {source} WHERE {PARTITION_HOUR} >= $since AND {PARTITION_HOUR} < $until"
            f" AND ({PARTITION_HOUR} >= $first OR event_timestamp < $start)",
            params={"since": since, "until": until, "first": first, "start": selection.start.astimezone(UTC)},
        ).pl()
        known = with_occurred_at(selection.known(rows.select(columns).rename(SENDING)))
        known = known if self._bots else without_bots(known)
        events = Events(
            selection.events(known).select(*NAMES, ORDER, *OCCURRENCE, *DERIVED),
            pl.DataFrame(schema=CORRUPT_SCHEMA),
            price_decimals=self.price_decimals,
            clock="occurred",
            orders_before=selection.orders_before(known),
        )
        return RawEvents(events)


def _hours(selection: Selection) -> tuple[datetime, datetime]:
    """Give the first hour whose objects are looked at, and the one after the last, in UTC."""
    return covering_hours(selection.before[0], selection.after[1])
