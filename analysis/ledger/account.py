"""Accounts for every event that browsers numbered: received, lost, dropped by themselves, late, repeated, rejected."""

from datetime import datetime
from pathlib import Path

import polars as pl

from analysis.fields import KEY
from analysis.reader import read_events
from analysis.validation.clocks import MOST_LATE

__all__ = ["COUNTS", "account", "total"]

# In this order: sent = received + lost + overflowed + refused. The other three are not among the sent.
COUNTS = ("sent", "received", "lost", "overflowed", "refused", "late", "repeated", "rejected")
FIELDS = (KEY, "tab_id", "seq", "dropped_overflow", "dropped_refused", "sent_event_timestamp", "received_at")
TAB = ("client_id", "tab_id")
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
        _count(events, by, received=pl.len()),
        _count(read.frame.join(events, on=KEY, how="anti"), by, repeated=pl.len()),
        _count(_late(events), by, late=pl.len()),
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


def _count(frame: pl.DataFrame, by: str, **counts: pl.Expr) -> pl.DataFrame:
    key = HOUR if by == "hour" else pl.col(by)
    return frame.group_by(key.alias(by)).agg(**{name: count.cast(pl.Int64) for name, count in counts.items()})


def _late(events: pl.DataFrame) -> pl.DataFrame:
    """See analysis.validation.clocks, whose definition this is."""
    way = (pl.col("received_at") - pl.col("sent_event_timestamp")).dt.total_microseconds()
    timed = events.filter(pl.col("client_id").is_not_null(), way.is_not_null())
    return timed.filter((way - way.min().over("client_id")) > MOST_LATE * 1_000_000)


def _missing(events: pl.DataFrame, by: str) -> pl.DataFrame:
    """What is missing between two numbers of a tab; what the client's counters say of it first, the rest was lost.

    A counter may grow in one tab's event for what another tab dropped; so both are compared for the client as a whole,
    in each hour.
    """
    numbered = events.filter(pl.all_horizontal(pl.col(*TAB, "seq").is_not_null()))
    numbers = numbered.sort("event_timestamp").unique((*TAB, "seq"), keep="first").sort(*TAB, "seq")
    gaps = numbers.with_columns(gap=pl.col("seq") - pl.col("seq").shift(1).over(*TAB) - 1).filter(pl.col("gap") > 0)
    grown = numbered.sort("event_timestamp", KEY).with_columns(
        (pl.col(name).cum_max().over("client_id") - pl.col(name).cum_max().shift(1).over("client_id")).alias(name)
        for name in ("dropped_overflow", "dropped_refused")
    )
    counts = [
        gaps.select("client_id", hour=HOUR, gap="gap"),
        grown.select("client_id", hour=HOUR, overflowed="dropped_overflow", refused="dropped_refused"),
    ]
    frame = pl.concat(counts, how="diagonal").group_by("client_id", "hour").agg(pl.all().sum())
    dropped = pl.col("overflowed") + pl.col("refused")
    lost = (pl.col("gap") - dropped).clip(lower_bound=0)
    return frame.group_by(by).agg(
        lost=lost.sum(), overflowed=pl.col("overflowed").sum(), refused=pl.col("refused").sum()
    )


def _rejected(corrupt: pl.DataFrame, by: str) -> pl.DataFrame:
    partition = pl.col(KEY).str.extract(r"^events/(\d{4}/\d\d/\d\d/\d\d)/")
    # Polars reads no hour without minutes.
    hour = (partition + ":00").str.to_datetime("%Y/%m/%d/%H:%M", time_unit="us", time_zone="UTC")
    key = hour if by == "hour" else pl.lit(None, pl.String)
    return corrupt.group_by(key.alias(by)).agg(rejected=pl.len().cast(pl.Int64))
