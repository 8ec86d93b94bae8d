"""Accounts for every event that browsers numbered: received, lost, dropped by themselves, late, repeated, rejected."""

from datetime import datetime
from pathlib import Path

import polars as pl

from analysis.checks.validation.clocks import MOST_LATE, SECOND, timed
from analysis.checks.validation.sequences import gaps_of
from analysis.raw.partitions import hour_of
from analysis.rows.fields import KEY
from analysis.rows.reader import read_events

__all__ = ["COUNTS", "account", "total"]

# In this order: sent = received + lost + overflowed + refused. The other three are not among the sent.
COUNTS = ("sent", "received", "lost", "overflowed", "refused", "late", "repeated", "rejected")
FIELDS = (KEY, "tab_id", "seq", "dropped_overflow", "dropped_refused", "sent_event_timestamp", "received_at")
HOUR = pl.col("event_timestamp").dt.truncate("1h")


def account(source: str | Path, start: datetime, end: datetime, *, by_client: bool = False) -> pl.DataFrame:
    """One row per hour of receipt (`hour`, UTC) or per client (`client_id`, null: none), with COUNTS.

    `received` are events, each once; `repeated` further objects of them; `rejected` objects that are no events, by the
    hour of their key. Numbers (`seq`) that are missing between two of a tab count in the hour of the next one that
    came: as `overflowed` or `refused` as far as the client's own counters grew there, else as `lost`. `late` is an
    event that took more than five minutes longer than its client's quickest, whose clock may be off. What a tab lost
    before its first and after its last event of the span is not to be seen. Raises AnalysisError as `read_events` does.
    """
    read = read_events(source, start, end, fields=FIELDS, keep_duplicates=True)
    events = read.frame.unique("event_id", keep="first", maintain_order=True)
    by = "client_id" if by_client else "hour"
    parts = [
        _count(events, by, "received"),
        _count(read.frame.join(events, on=KEY, how="anti"), by, "repeated"),
        _count(_late(events), by, "late"),
        _missing(events, by),
        _rejected(read.corrupt, by),
    ]
    together = pl.concat(parts, how="diagonal").group_by(by).agg(pl.all().sum()).sort(by, nulls_last=True)
    return together.with_columns(sent=pl.sum_horizontal("received", "lost", "overflowed", "refused")).select(
        by, *COUNTS
    )


def total(ledger: pl.DataFrame) -> dict[str, int]:
    """All of it together."""
    return {name: int(ledger[name].sum()) for name in COUNTS}


def _count(frame: pl.DataFrame, by: str, name: str) -> pl.DataFrame:
    key = HOUR if by == "hour" else pl.col(by)
    return frame.group_by(key.alias(by)).agg(pl.len().cast(pl.Int64).alias(name))


def _late(events: pl.DataFrame) -> pl.DataFrame:
    return timed(events.rename({"sent_event_timestamp": "sent_at"})).filter(pl.col("delay") > MOST_LATE * SECOND)


def _missing(events: pl.DataFrame, by: str) -> pl.DataFrame:
    """What is missing between two numbers of a tab; what the client's counters say of it first, the rest was lost.

    A counter may grow in one tab's event for what another tab dropped; so both are compared for the client as a whole,
    in each hour.
    """
    counts = [
        gaps_of(events).select(
            "client_id", hour=pl.col("until").dt.truncate("1h"), gap=pl.col("last") - pl.col("first") + 1
        ),
        _grown(events, "dropped_overflow").rename({"grown": "overflowed"}),
        _grown(events, "dropped_refused").rename({"grown": "refused"}),
    ]
    frame = pl.concat(counts, how="diagonal").group_by("client_id", "hour").agg(pl.all().sum())
    lost = (pl.col("gap") - pl.col("overflowed") - pl.col("refused")).clip(lower_bound=0)
    return frame.with_columns(lost=lost).group_by(by).agg(pl.col("lost", "overflowed", "refused").sum())


def _grown(events: pl.DataFrame, counter: str) -> pl.DataFrame:
    """By how much a client's counter grew with an event that has it: `client_id`, `hour`, `grown`."""
    counted = events.filter(pl.all_horizontal(pl.col("client_id", counter).is_not_null())).sort("event_timestamp", KEY)
    high = counted.with_columns(high=pl.col(counter).cum_max().over("client_id"))
    grown = (pl.col("high") - pl.col("high").shift(1).over("client_id")).fill_null(0)
    return high.select("client_id", hour=HOUR, grown=grown)


def _rejected(corrupt: pl.DataFrame, by: str) -> pl.DataFrame:
    hour = pl.col(KEY).map_elements(hour_of, pl.Datetime("us", "UTC"))
    key = hour if by == "hour" else pl.lit(None, pl.String)
    return corrupt.group_by(key.alias(by)).agg(rejected=pl.len().cast(pl.Int64))
