"""Chooses the events of a range from the rows that were read in it, before it and after it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.errors import AnalysisError
from analysis.raw.partitions import covering_hours
from analysis.rows.fields import KEY, OCCURRED_AT
from chalicelib.contract import COLUMNS

__all__ = ["DAY", "EARLIER", "ORDER", "RECEIPT", "Clock", "OnError", "Selection", "no_orders"]

Clock: TypeAlias = Literal["received", "occurred"]
OnError: TypeAlias = Literal["raise", "report"]

DAY = timedelta(hours=24)
ORDER = "order"
RECEIPT = ("event_timestamp", KEY)

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

    Attributes:
        start: The first moment, aware.
        end: The moment after the last, aware.
        lookback: An event that was first received so long before `start`, or less, does not belong to the range.
        clock: Whether events belong to the range that were `received` in it, or that `occurred` in it.
        lookahead: How long after `end` an event may be received that occurred in the range.

    Raises:
        AnalysisError: The clock has another value, or a duration is negative or leads beyond all calendars.
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
        try:
            _ = self.start - self.lookback, self._received_until
        except OverflowError:
            raise AnalysisError("no calendar reaches as far as this lookback or lookahead: choose less") from None

    @property
    def before(self) -> tuple[datetime, datetime]:
        """The span of the hours before the range (before its first partition), in UTC."""
        first, _ = covering_hours(self.start, self.end)
        return min(first, self.start - self.lookback), first

    @property
    def after(self) -> tuple[datetime, datetime]:
        """The span of the hours after the range (after its last partition), in UTC."""
        _, last = covering_hours(self.start, self.end)
        return last, max(last, self._received_until)

    @property
    def _received_until(self) -> datetime:
        return self.end + self.lookahead

    def known(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Keep rows received from `lookback` before the range to `lookahead` after it, ordered by receipt, then key."""
        return rows.filter(_within("event_timestamp", self.start - self.lookback, self._received_until)).sort(*RECEIPT)

    def events(self, known: pl.DataFrame) -> pl.DataFrame:
        """Choose the events of the range from rows that `known` gave, in the order of the clock, then key."""
        received = known.filter(_within("event_timestamp", self.start, self._received_until))
        if self.clock == "received":
            return received
        return received.filter(_within(OCCURRED_AT, self.start, self.end)).sort(OCCURRED_AT, KEY)

    def orders_before(self, known: pl.DataFrame) -> pl.DataFrame:
        """Choose the events before the range that may have placed an order, from rows that `known` gave."""
        placed = known.filter(pl.col("event_name") == "checkout_complete", pl.col(ORDER).is_not_null())
        # The time of receipt is never the earlier one.
        time = pl.col("event_timestamp" if self.clock == "received" else OCCURRED_AT)
        return placed.with_columns(event_timestamp=time).filter(time < self.start.astimezone(UTC)).select(*_ORDERS)


def _within(column: str, start: datetime, end: datetime) -> pl.Expr:
    # In UTC, because Polars compares no times of different zones.
    return pl.col(column).is_between(start.astimezone(UTC), end.astimezone(UTC), closed="left")
