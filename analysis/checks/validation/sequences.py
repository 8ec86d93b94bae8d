"""Checks of `seq`: what never arrived, what the publisher itself counted as dropped, and numbers given twice."""

import polars as pl

from analysis.checks.validation.finding import Check

__all__ = ["gaps_of", "sequence_checks"]

TAB = ("client_id", "tab_id")


def sequence_checks(events: pl.DataFrame) -> list[Check]:
    """Check each tab's numbers: from the smallest to the largest that is there, none may be missing or given twice.

    A tab that was open before the span begins somewhere; what it lost before or after is not for this span to say.
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
            f"{lost:,} events never arrived ({rate:.4%})",
            "none",
            "Compare with counted_drops: what a browser dropped itself is counted there; the rest was lost on its way.",
            gaps.drop("until").to_dicts(),
        ),
        Check(
            "counted_drops",
            "warning",
            f"{int(drops['grew_by'].sum()):,} events were dropped by browsers",
            "none",
            "overflow: ingest was away for long. refused: the shop sends what ingest does not take; see its log.",
            drops.to_dicts(),
        ),
        Check(
            "repeated_seqs",
            "warning",
            f"{repeated.height:,} numbers stand for several events",
            "none",
            "Two tabs use the same tabId, or somebody else writes the events than the publisher.",
            repeated.to_dicts(),
        ),
    ]


def gaps_of(events: pl.DataFrame) -> pl.DataFrame:
    """The numbers that are missing between two of a tab: `client_id`, `tab_id`, `first`, `last`.

    `until` is when (`event_timestamp`) the one after the last came.
    """
    numbers = _numbered(events).group_by(*TAB, "seq").agg(until=pl.col("event_timestamp").min()).sort(*TAB, "seq")
    previous = pl.col("seq").shift(1).over(*TAB)
    gaps = numbers.with_columns(first=previous + 1, last=pl.col("seq") - 1).filter(pl.col("first") <= pl.col("last"))
    return gaps.select(*TAB, "first", "last", "until")


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.all_horizontal(pl.col(*TAB, "seq").is_not_null()))
