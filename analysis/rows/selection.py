"""Chooses the events of a range from the rows that were read in it, before it and after it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.errors import AnalysisError
from analysis.rows.fields import KEY, OCCURRED_AT
from chalicelib.contract import COLUMNS
from chalicelib.keys import PREFIX

__all__ = ["DAY", "EARLIER", "ORDER", "Clock", "Selection", "no_orders"]

Clock: TypeAlias = Literal["received", "occurred"]

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
ORDER = "order"
WHEN = "when"

# What has to be known of an event before a range: its id, and whether it placed an order.
EARLIER = tuple(
    column for column in COLUMNS if column.name in {"event_id", "event_timestamp", "event_name", "user_login_state"}
)
_ORDERS: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "event_timestamp": pl.Datetime("us", "UTC"),
    "event_name": pl.String(),
    "user_login_state": pl.String(),
    ORDER: pl.String(),
}


def no_orders() -> pl.DataFrame:
    """Give the frame of the events that placed earlier orders, without any."""
    return pl.DataFrame(schema=_ORDERS)


@dataclass(frozen=True)
class Selection:
    """Which events belong to a range.

    An object is of the time of its receipt, and always of the hour of its partition.

    Attributes:
        start: The first moment, aware.
        end: The moment after the last, aware.
        lookback: An event that was first received so long before `start`, or less, does not belong to the range.
        clock: Whether events belong to the range that were `received` in it, or that `occurred` in it.
        lookahead: How long after `end` an event may be received that occurred in the range.

    Raises:
        AnalysisError: The clock has another value, or a duration is negative.
    """

    start: datetime
    end: datetime
    lookback: timedelta = DAY
    clock: Clock = "received"
    lookahead: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if self.clock not in get_args(Clock):
            raise AnalysisError(f"clock must be one of {', '.join(get_args(Clock))}, not {self.clock!r}")
        if min(self.lookback, self.lookahead) < timedelta(0):
            raise AnalysisError("lookback and lookahead must not be negative: write timedelta(hours=24)")

    @property
    def hours_before(self) -> tuple[datetime, datetime]:
        """The whole hours before those of the range, in UTC: the first, and the one after the last."""
        return _hour(self.start - self.lookback), _hour(self.start)

    @property
    def hours_after(self) -> tuple[datetime, datetime]:
        """The whole hours after those of the range, in UTC: the first, and the one after the last."""
        return _next_hour(self.end), _next_hour(self._received_until)

    @property
    def _received_until(self) -> datetime:
        return self.end + self.lookahead

    def known(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Keep the rows from `lookback` before the range to its end (`lookahead` after it), ordered by receipt, key."""
        hour = pl.concat_str(pl.col(KEY).str.slice(len(PREFIX), len("2026/11/24/22")), pl.lit(":00"))
        partition = hour.str.to_datetime("%Y/%m/%d/%H:%M", time_unit="us", time_zone="UTC")
        when = pl.col("event_timestamp").clip(partition, partition + (HOUR - MICROSECOND))
        read = when.is_between(self.start - self.lookback, self._received_until, closed="left")
        return rows.with_columns(when.alias(WHEN)).filter(read).sort("event_timestamp", KEY)

    def events(self, known: pl.DataFrame) -> pl.DataFrame:
        """Choose the events of the range from rows that `known` gave, in the order of the clock, then key."""
        received = known.filter(pl.col(WHEN).is_between(self.start, self._received_until, closed="left"))
        if self.clock == "received":
            return received
        occurred = pl.col(OCCURRED_AT).is_between(self.start, self.end, closed="left")
        return received.filter(occurred).sort(OCCURRED_AT, KEY)

    def orders_before(self, known: pl.DataFrame) -> pl.DataFrame:
        """Choose the events before the range that may have placed an order, from rows that `known` gave."""
        placed = known.filter(pl.col("event_name") == "checkout_complete", pl.col(ORDER).is_not_null())
        is_before = pl.col(WHEN) < self.start
        if self.clock == "occurred":
            is_before |= pl.col(OCCURRED_AT) < self.start
            placed = placed.with_columns(event_timestamp=OCCURRED_AT)
        return placed.filter(is_before).select(*_ORDERS)


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _next_hour(time: datetime) -> datetime:
    return _hour(time + HOUR - MICROSECOND)
