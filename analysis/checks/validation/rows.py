"""Checks of the warehouse against raw: every event has a row, and every row has a raw object."""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from analysis.checks.validation.finding import Check, counted
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
    """Read the warehouse's rows for a span: the rows received in it, and rows outside it of the same `events`.

    Returns:
        `event_id` and `event_timestamp` (UTC), one row per event.

    Raises:
        AnalysisError: The warehouse does not answer.
    """
    rows = warehouse.query(IN_SPAN, {"start": start, "end": end})
    others = events.join(rows, on="event_id", how="anti").select("event_id")
    found = [warehouse.query(ELSEWHERE, {"ids": batch["event_id"].to_list()}) for batch in others.iter_slices(BATCH)]
    return pl.concat([rows, *found])


def row_checks(
    events: pl.DataFrame, rows: pl.DataFrame, start: datetime, end: datetime, unread: Collection[datetime | None] = ()
) -> list[Check]:
    """Check that each event has a row, and that each row received from `start` to `end` has a raw object.

    `unread` are hours with objects that may not be read: a row of such an hour may come from one of these.
    """
    missing = events.join(rows, on="event_id", how="anti")
    is_unread = pl.col("event_timestamp").dt.truncate("1h").is_in(list(unread))
    received = rows.filter(pl.col("event_timestamp").is_between(start, end, closed="left") & ~is_unread)
    orphans = received.join(events, on="event_id", how="anti").sort("event_timestamp", "event_id")
    return [
        Check(
            "missing_rows",
            "error",
            counted(missing.height, "event has no row in the warehouse", "events have no row in the warehouse"),
            "none",
            "Look for these keys in the projector's log. 'python -m analysis backfill' inserts the missing rows.",
            missing.select("key", "event_id").to_dicts(),
        ),
        Check(
            "rows_without_object",
            "warning",
            counted(orphans.height, "row has no raw object", "rows have no raw object"),
            "none",
            "Somebody deleted raw objects, or wrote rows by hand. A warehouse rebuilt from raw will lack these rows.",
            orphans.to_dicts(),
        ),
    ]


def erased_check(events: pl.DataFrame, others: pl.DataFrame) -> Check:
    """Check that raw holds no events of erased people; `others` are the events of everybody else."""
    theirs = events.join(others, on="event_id", how="anti")
    return Check(
        "erased_people",
        "error",
        counted(theirs.height, "event belongs to an erased person", "events belong to erased people"),
        "none",
        "They arrived after the erasure. The warehouse refuses them; 'python -m analysis erase --again' deletes them.",
        theirs.select("key", "event_id").to_dicts(),
    )


def hours(objects: pl.DataFrame, events: pl.DataFrame, rows: pl.DataFrame | None) -> pl.DataFrame:
    """Count what became of the objects of each hour.

    Args:
        objects: All objects, as `describe` gives them.
        events: The events among them: no rejects, no duplicates.
        rows: The warehouse's rows, as `row_ids` gives them; None without a warehouse.

    Returns:
        One row per partition: `hour` (UTC; null if the key has no hour), `objects`, `rows`, `duplicates`, `rejects`,
        `missing` (events without a row), ordered by hour. `objects` is the sum of the other four. Without a warehouse,
        every event counts in `rows`.
    """
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
