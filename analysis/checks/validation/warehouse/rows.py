"""Checks of the warehouse against raw: every event has a row, and every row has a raw object that gives it."""

from datetime import datetime

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted
from analysis.checks.validation.objects import ROW
from analysis.engines.protocol import Engine
from chalicelib.contract import TABLE

__all__ = [
    "altered_check",
    "altered_rows",
    "erased_check",
    "hours",
    "missing_check",
    "orphan_check",
    "rows_in",
    "rows_of",
]

BATCH = 10_000
MANY = 10  # missing rows, from which a warehouse may be behind
IN_SPAN = f"""
SELECT {", ".join(ROW)}
FROM {TABLE}
WHERE event_timestamp >= $start AND event_timestamp < $end
"""  # noqa: S608  # names of the contract
OF_EVENTS = f"""
SELECT {", ".join(ROW)}
FROM {TABLE}
WHERE event_id = ANY (CAST($ids AS UUID[]))
"""  # noqa: S608  # names of the contract


def rows_in(warehouse: Engine, start: datetime, end: datetime) -> pl.DataFrame:
    """Read the warehouse's rows whose `event_timestamp` is from `start` to `end`, with the contract's columns."""
    return warehouse.query(IN_SPAN, {"start": start, "end": end})


def rows_of(warehouse: Engine, event_ids: pl.Series) -> pl.DataFrame:
    """Read the warehouse's rows of these events, with the contract's columns; an event without a row has none."""
    batches = (event_ids[start : start + BATCH] for start in range(0, len(event_ids), BATCH))
    found = [warehouse.query(OF_EVENTS, {"ids": batch.to_list()}) for batch in batches]
    return pl.concat([pl.DataFrame(schema=ROW), *found])


def missing_check(missing: pl.DataFrame, events: Parts) -> Check:
    """Report the events without a row; `events` are all events that need one."""
    since = missing["event_timestamp"].min()
    # Triggers need not come in order: where a stack is behind, some later events have rows.
    later = _since(events, since) if isinstance(since, datetime) else 0
    if missing.height >= MANY and missing.height >= later / 2 and isinstance(since, datetime):
        advice = (
            f"Most events since {since:%Y-%m-%d %H:%M:%S} UTC have no row: the warehouse is behind. See whether the "
            "projector runs, and how many events wait in its queue. When it has caught up, run validate again; "
            "'python -m analysis backfill' inserts the rows that are still missing."
        )
    else:
        advice = "Look for these keys in the projector's log. 'python -m analysis backfill' inserts the missing rows."
    return Check(
        "missing_rows",
        "error",
        counted(missing.height, "event has no row in the warehouse", "events have no row in the warehouse"),
        "none",
        advice,
        missing.select("key", "event_id").to_dicts(),
    )


def _since(events: Parts, since: datetime) -> int:
    return sum(part.item() for part in events.frames((pl.col("event_timestamp") >= since).sum()))


def orphan_check(orphans: pl.DataFrame) -> Check:
    """Report the rows without a raw object."""
    found = orphans.sort("event_timestamp", "event_id").select("event_id", "event_timestamp")
    return Check(
        "rows_without_object",
        "warning",
        counted(orphans.height, "row has no raw object", "rows have no raw object"),
        "none",
        "Somebody deleted raw objects, or wrote rows by hand. A warehouse rebuilt from raw will lack these rows.",
        found.to_dicts(),
    )


def altered_rows(objects: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Find the rows that none of their event's objects gives.

    Args:
        objects: The objects of these rows' events, with the columns KNOWN. The row is one of them, whichever the
            projector met first.
        rows: Rows of the warehouse, with the contract's columns.

    Returns:
        One row per altered row: `event_id`, `key` of the object that is most like it, and `columns`, the names of the
        columns that differ from that object, joined by commas. Order: event_id.
    """
    pairs = objects.join(rows, on="event_id", suffix=" of row")
    # A copy of a bucket has other times of storing.
    is_copied = pl.col("received_at").is_null() & pl.col("sent_at").is_null()
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name} of row")) for name in ROW if name != "event_id"}
    differs["event_timestamp"] = differs["event_timestamp"] & ~is_copied
    columns = pl.concat_list(pl.when(each).then(pl.lit(name)) for name, each in differs.items()).list.drop_nulls()
    nearest = (
        pairs.select("event_id", "event_timestamp", "key", columns=columns)
        .sort("event_id", pl.col("columns").list.len(), "event_timestamp", "key")
        .unique("event_id", keep="first", maintain_order=True)
    )
    altered = nearest.filter(pl.col("columns").list.len() > 0)
    return altered.select("event_id", "key", pl.col("columns").list.join(", "))


def altered_check(altered: pl.DataFrame) -> Check:
    """Report the rows that `altered_rows` finds."""
    return Check(
        "altered_rows",
        "error",
        counted(altered.height, "row differs from its raw object", "rows differ from their raw objects"),
        "the row that the contract makes of the object",
        "Somebody changed rows by hand, or they were projected under another contract. Raw is right: delete these "
        "rows, and 'python -m analysis backfill' inserts them again.",
        altered.to_dicts(),
    )


def erased_check(theirs: pl.DataFrame) -> Check:
    """Report the events of erased people: `key` and `event_id`."""
    return Check(
        "erased_people",
        "error",
        counted(theirs.height, "event belongs to an erased person", "events belong to erased people"),
        "none",
        "They arrived after the erasure. The warehouse refuses them; 'python -m analysis erase --again' deletes them.",
        theirs.select("key", "event_id").to_dicts(),
    )


def hours(objects: Parts, repeated: pl.Series, lacking: pl.Series | None) -> pl.DataFrame:
    """Count what became of the objects of each hour.

    Args:
        objects: All objects, as `describe` gives them, and which of them `is_young`: not yet judged.
        repeated: The keys of the duplicates.
        lacking: The ids of the events without a row; None without a warehouse.

    Returns:
        One row per partition: `hour` (UTC; null if the key has no hour), `objects`, `rows`, `duplicates`, `rejects`,
        `missing` (events without a row), `not_yet_judged`, ordered by hour. `objects` is the sum of the other five.
        Without a warehouse, or before its horizon, every event counts in `rows`.
    """
    fates = ("rows", "duplicates", "rejects", "missing", "not_yet_judged")
    fate = (
        pl.when(pl.col("corrupt").is_not_null())
        .then(pl.lit("rejects"))
        .when("is_young")
        .then(pl.lit("not_yet_judged"))
        .when(pl.col("key").is_in(repeated.implode()))
        .then(pl.lit("duplicates"))
        .when(pl.lit(False) if lacking is None else pl.col("event_id").is_in(lacking.implode()))  # noqa: FBT003  # a value
        .then(pl.lit("missing"))
        .otherwise(pl.lit("rows"))
    )
    counts = [
        part.group_by("hour", "fate").len() for part in objects.select(hour=pl.col("partition"), fate=fate).frames()
    ]
    sums = [pl.col("len").filter(pl.col("fate") == name).sum().alias(name) for name in fates]
    return pl.concat(counts).group_by("hour").agg(pl.col("len").sum().alias("objects"), *sums).sort("hour")
