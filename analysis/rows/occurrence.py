"""Works out when events happened: by the browser's clock, set right by the times of receipt, in the order of `seq`."""

from datetime import timedelta

import polars as pl

from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import OCCURRED_AT, fields_named

__all__ = ["BASIS", "MOST_SKEW", "MOST_WAIT", "TAB", "with_occurred_at"]

# An event cannot arrive before it is sent. A client whose quickest event took less than 0 s has a clock that is ahead.
# One whose quickest event took longer than a minute has a clock that is behind: within the bounds it is transit.
MOST_SKEW = 60.0  # seconds
# Further from the receipt, a browser's time is not believed: one such time would move all events of its client.
MOST_AHEAD = timedelta(days=1)
MOST_WAIT = timedelta(days=28)

# The fields that the computation needs besides the contract's columns.
BASIS = (SENT_AT, *fields_named(("received_at", "tab_id", "seq")))
TAB = ("client_id", "tab_id")
RECEIPT = pl.col("event_timestamp")


def with_occurred_at(events: pl.DataFrame) -> pl.DataFrame:
    """Add the column `occurred_at`, which docs/metrics.md defines.

    Args:
        events: Columns of the contract and of BASIS, in any order. The clock of a client is judged by its events here.

    Returns:
        The same rows, in another order, with `occurred_at` (UTC, microseconds), which is never null and never after
        `event_timestamp`.
    """
    happened = events.with_columns(_usable().alias(OCCURRED_AT)).with_columns(pl.col(OCCURRED_AT) + _correction())
    in_tab = pl.all_horizontal(pl.col(*TAB, "seq", "received_at").is_not_null())
    alone = happened.filter(~in_tab).with_columns(pl.min_horizontal(OCCURRED_AT, RECEIPT))
    tabs = happened.filter(in_tab).sort(*TAB, "seq", "event_timestamp", "event_id")
    return pl.concat([alone.with_columns(pl.col(OCCURRED_AT).fill_null(RECEIPT)), _in_order(tabs)])


def _usable() -> pl.Expr:
    """Give the browser's time, or null if it is absent or not believed."""
    sent = pl.col(SENT_AT.name)
    way = pl.col("received_at") - sent
    is_usable = pl.col("client_id").is_not_null() & way.is_between(-MOST_AHEAD, MOST_WAIT)
    return pl.when(is_usable).then(sent)


def _correction() -> pl.Expr:
    """Give how far the client's clock is behind, judged by its quickest event; 0 if that is within the bounds."""
    quickest = (pl.col("received_at") - pl.col(OCCURRED_AT)).min().over("client_id")
    is_right = quickest.is_between(timedelta(0), timedelta(seconds=MOST_SKEW))
    return pl.when(is_right).then(timedelta(0)).otherwise(quickest)


def _in_order(tabs: pl.DataFrame) -> pl.DataFrame:
    """Keep the order of `seq` in each tab; `tabs` is ordered by tab and `seq`.

    An event without a browser's time takes the next one of its tab. No event is later than its own receipt or that of
    any later number, nor earlier than an earlier number.
    """
    known = pl.col(OCCURRED_AT).backward_fill().over(TAB)
    latest = RECEIPT.cum_min(reverse=True).over(TAB)
    bounded = tabs.with_columns(pl.min_horizontal(known, latest).alias(OCCURRED_AT))
    return bounded.with_columns(pl.col(OCCURRED_AT).cum_max().over(TAB))
