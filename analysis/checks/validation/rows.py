"""Checks of the warehouse against raw: every event has its row, and every row its object."""

from datetime import datetime

import polars as pl

from analysis.checks.validation.finding import Check
from analysis.metrics.engine import Engine
from chalicelib.contract import TABLE

__all__ = ["erased_check", "hours", "row_checks", "row_ids"]

BATCH = 10_000
IN_SPAN = f"""
SELECT event_id, event_timestamp
FROM {TABLE}
WHERE event_timestamp >= $start AND event_timestamp < $end
"""  # noqa: S608  # a name of the contract
ELSEWHERE = f"""
SELECT event_id, event_timestamp
FROM {TABLE}
WHERE event_id = ANY (CAST($ids AS UUID[]))
"""  # noqa: S608  # a name of the contract


def row_ids(warehouse: Engine, events: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    """`event_id` and `event_timestamp` of the rows received in the span, and of those of `events` outside it.

    Raises AnalysisError if the warehouse does not answer.
    """
    rows = warehouse.query(IN_SPAN, {"start": start, "end": end})
    others = events.join(rows, on="event_id", how="anti").select("event_id")
    found = [warehouse.query(ELSEWHERE, {"ids": batch["event_id"].to_list()}) for batch in others.iter_slices(BATCH)]
    return pl.concat([rows, *found])


def row_checks(events: pl.DataFrame, rows: pl.DataFrame, start: datetime, end: datetime) -> list[Check]:
    """Check events against rows, both ways."""
    missing = events.join(rows, on="event_id", how="anti")
    received = rows.filter(pl.col("event_timestamp").is_between(start, end, closed="left"))
    orphans = received.join(events, on="event_id", how="anti").sort("event_timestamp", "event_id")
    return [
        Check(
            "missing_rows",
            "error",
            f"{missing.height:,} events have no row",
            "none",
            "Look at the projector's log for these keys; 'python -m analysis backfill' makes them rows.",
            missing.select("key", "event_id").to_dicts(),
        ),
        Check(
            "rows_without_object",
            "warning",
            f"{orphans.height:,} rows have no object",
            "none",
            "Somebody deleted raw objects, or wrote rows by hand; a warehouse rebuilt from raw will lack these.",
            orphans.to_dicts(),
        ),
    ]


def erased_check(events: pl.DataFrame, others: pl.DataFrame) -> Check:
    """Check that raw holds no events of people who were erased; `others` are those of everybody else."""
    theirs = events.join(others, on="event_id", how="anti")
    return Check(
        "erased_people",
        "error",
        f"{theirs.height:,} events are of people who were erased",
        "none",
        "They came since, and the warehouse takes none: 'python -m analysis erase --again' deletes them.",
        theirs.select("key", "event_id").to_dicts(),
    )


def hours(objects: pl.DataFrame, events: pl.DataFrame, rows: pl.DataFrame | None) -> pl.DataFrame:
    """Per hour partition, UTC: objects = rows + duplicates + rejects + missing; without rows, `rows` are events."""
    is_event = pl.col("key").is_in(events["key"].implode())
    is_corrupt = pl.col("corrupt").is_not_null()
    has_row = pl.lit(True) if rows is None else pl.col("event_id").is_in(rows["event_id"].implode())  # noqa: FBT003
    return (
        objects.group_by(hour="partition")
        .agg(
            objects=pl.len(),
            rows=(is_event & has_row).sum(),
            duplicates=(~is_event & ~is_corrupt).sum(),
            rejects=is_corrupt.sum(),
            missing=(is_event & ~has_row).sum(),
        )
        .sort("hour")
    )
