"""Compacts hours of one day: reads them, puts their rows into both tables, and records them."""

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from analysis.lake.compaction.accounting import changed_records, named, records_of
from analysis.lake.compaction.events import HourObjects, read_hours
from analysis.lake.compaction.merging import prepared
from analysis.lake.compaction.outcome import Compacted
from analysis.lake.compaction.place import Place
from analysis.lake.hours import modified_ns
from analysis.lake.orders import orders_of
from analysis.lake.schema import PARTITION_HOUR
from analysis.lake.upkeep import tidy
from analysis.raw.partitions import hour_of, prefix_of
from analysis.rows.orders import read_orders

__all__ = ["compact_day"]


def compact_day(
    place: Place, done: Compacted, day: date, hours: Sequence[datetime], *, is_closed: bool
) -> set[datetime]:
    """Compact hours of one day.

    Args:
        place: Raw and the lake.
        done: What is done is added to it.
        day: The day.
        hours: Its hours, UTC. Without any, the files of the day are only merged.
        is_closed: Whether all rows of the day become one file.

    Returns:
        The hours that have to be compacted again because of these.

    Raises:
        Damaged: A file that has to be read is damaged, and is not yet known to be.
        Conflict: Another writer has changed the lake meanwhile.
        AnalysisError: Raw or the lake cannot be read or written, or an object is unaccounted for.
    """
    prefixes = {hour: prefix_of(hour) for hour in hours}
    modified = {hour: modified_ns(place.source, prefix) for hour, prefix in prefixes.items()}
    place.unreadable.clear()
    read = read_hours(
        place.raw, list(prefixes.values()), place.events, place.tombstones, place.price_decimals, place.evidence
    )
    if place.unreadable:
        done.unreadable += place.unreadable
        hours = _without_unreadable(place, hours, read)
    was_several = is_closed and len(place.events.of_day(day)) > 1
    events = prepared(place.events, day, hours, read.rows, is_closed=is_closed, keep=place.living)
    orders = prepared(place.orders, day, hours, orders_of(events.rows), is_closed=is_closed, keep=place.living)
    again = _repeating(place, hours) if len(events.lost) else set()
    again |= _ordering(place, orders.lost, hours)
    # Hours that have expired from raw keep their rows: nobody asked for them.
    again = {hour for hour in again if (known := place.records.get(hour)) is None or place.has_in_raw(hour, known)}
    records = records_of(hours, read, events, modified, place.evidence.mark)
    others = changed_records(place.records.hours, hours, events)
    # Without their records, these hours are compacted again if this stops in the middle.
    place.forget({*hours, *again, *others})
    events.commit()
    orders.commit()
    place.records.write({hour: record for hour, record in (others | records).items() if hour not in again})
    done.count(records.values())
    done.days += was_several
    for files in (place.events, place.orders):
        tidy(files.table)
    return again


def _without_unreadable(place: Place, hours: Sequence[datetime], read: HourObjects) -> list[datetime]:
    """Leave out the hours with objects that may not be read: they would miss rows."""
    incomplete = {hour_of(f"{key.rstrip('/')}/x") or hour_of(key) for key, _ in place.unreadable}
    read.rows = read.rows.filter(~pl.col(PARTITION_HOUR).is_in([hour for hour in incomplete if hour]))
    return [hour for hour in hours if hour not in incomplete]


def _repeating(place: Place, hours: Sequence[datetime]) -> set[datetime]:
    """Find the hours that hold repeats of events of these hours: a repeat may be the first received now."""
    names = set(named(hours))
    return {hour for hour, record in place.records.hours.items() if names.intersection(record.first_in)}


def _ordering(place: Place, lost: pl.Series, hours: Sequence[datetime]) -> set[datetime]:
    """Find the hours with events that placed these orders, too: one of them may be the first now."""
    if lost.is_empty():
        return set()
    found: set[datetime] = set()
    columns = ("event_id", "event_name", "order", PARTITION_HOUR)
    for chunk in place.events.chunks(place.events.tasks, columns):
        placed = chunk.filter(pl.col("event_name") == "checkout_complete", ~pl.col(PARTITION_HOUR).is_in(hours))
        orders = read_orders(placed).filter(pl.col("order_id").is_in(lost.implode()))
        found.update(placed.join(orders, "event_id", how="semi")[PARTITION_HOUR])
    return found
