"""Checks of `seq`: lost events, events that browsers dropped, and numbers that were given twice."""

import polars as pl

from analysis.checks.validation.finding import Check, counted

__all__ = ["gaps_of", "sequence_checks"]

TAB = ("client_id", "tab_id")


def sequence_checks(events: pl.DataFrame) -> list[Check]:
    """Check each tab's numbers: from its smallest to its largest, each number has to be there exactly once.

    Losses before a tab's first event in `events` and after its last one cannot be seen.
    """
    numbers = _numbered(events).group_by(*TAB, "seq").agg(event_ids=pl.col("event_id").unique().sort())
    gaps = gaps_of(events)
    lost = int((gaps["last"] - gaps["first"] + 1).sum())
    rate = lost / (lost + numbers.height) if lost else 0.0
    drops = (
        events.filter(pl.all_horizontal(pl.col("client_id", "drops").is_not_null()))
        .group_by("client_id")
        .agg(grew_by=pl.col("drops").max() - pl.col("drops").min())
        .filter(pl.col("grew_by") > 0)
        .sort("client_id")
    )
    repeated = numbers.filter(pl.col("event_ids").list.len() > 1).sort(*TAB, "seq")
    return [
        Check(
            "lost_events",
            "error",
            counted(lost, f"event never arrived ({rate:.4%})", f"events never arrived ({rate:.4%})"),
            "none",
            "counted_drops counts the events that browsers dropped themselves. The others were lost on the way.",
            gaps.drop("until").to_dicts(),
        ),
        Check(
            "counted_drops",
            "warning",
            counted(int(drops["grew_by"].sum()), "event was dropped by a browser", "events were dropped by browsers"),
            "none",
            "Ingest was away for long (dropped.overflow) or refused the events (dropped.refused): see its log. "
            "Or the shop or the visitor withheld them (dropped.withheld).",
            drops.to_dicts(),
        ),
        Check(
            "repeated_seqs",
            "warning",
            counted(repeated.height, "seq number belongs to several events", "seq numbers belong to several events"),
            "none",
            "Two tabs use the same tabId, or another program than the publisher sends the events.",
            repeated.to_dicts(),
        ),
    ]


def gaps_of(events: pl.DataFrame) -> pl.DataFrame:
    """Find the numbers that are missing between two numbers of the same tab.

    Returns:
        One row per gap: `client_id`, `tab_id`, `first` and `last` missing number, and `until`, the `event_timestamp`
        (UTC) of the event after the gap. Order: client_id, tab_id, first.
    """
    numbers = _numbered(events).group_by(*TAB, "seq").agg(until=pl.col("event_timestamp").min()).sort(*TAB, "seq")
    previous = pl.col("seq").shift(1).over(*TAB)
    gaps = numbers.with_columns(first=previous + 1, last=pl.col("seq") - 1).filter(pl.col("first") <= pl.col("last"))
    return gaps.select(*TAB, "first", "last", "until")


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.all_horizontal(pl.col(*TAB, "seq").is_not_null()))
