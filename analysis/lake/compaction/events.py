"""Reads the objects of some hours as rows of the lake's table of events."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

import polars as pl

from analysis.lake.derived import with_derived
from analysis.lake.files import Files
from analysis.lake.schema import EVENT_COLUMNS, FIELDS, PARTITION_HOUR, SENT
from analysis.raw.objects import batches
from analysis.raw.partitions import hour_of
from analysis.raw.source import Source
from analysis.raw.tombstones import Tombstones
from analysis.rows.browser_time import SENT_AT
from analysis.rows.fields import KEY, OCCURRED_AT
from analysis.rows.occurrence import with_occurred_at
from analysis.rows.oddities.evidence import SENDER, Evidence
from analysis.rows.projection import Projection

__all__ = ["HourObjects", "read_hours"]

PREFIX = len("events/YYYY/MM/DD/HH/")
DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
NUMBER = "number"
# What the times of occurrence of other events depend on.
BASIS = ("event_id", "event_timestamp", "client_id", "tab_id", "seq", "received_at", SENT)


@dataclass
class HourObjects:
    """What some hours hold.

    Attributes:
        rows: One row per event and object, with EVENT_COLUMNS; an event may have several objects.
        keys: The keys of all objects of each hour.
        erased: How many objects of each hour are of erased people.
        rejected: The keys of the objects of each hour that are not events.
    """

    rows: pl.DataFrame
    keys: dict[datetime, list[str]] = field(default_factory=dict)
    erased: Counter[datetime] = field(default_factory=Counter)
    rejected: dict[datetime, list[str]] = field(default_factory=lambda: defaultdict(list))


def read_hours(
    source: Source,
    prefixes: Sequence[str],
    files: Files,
    tombstones: Tombstones | None,
    price_decimals: int,
    evidence: Evidence,
) -> HourObjects:
    """Read hours.

    Args:
        source: The raw bucket.
        prefixes: The hours, as `events/YYYY/MM/DD/HH/`.
        files: The events of the lake, by which the clocks of clients are judged, too.
        tombstones: Who was erased.
        price_decimals: How many decimals prices keep.
        evidence: How evidence is made.
    """
    folders = [folder for found in source.folders(prefixes) for folder in found]
    projection = Projection((*FIELDS, SENDER), source.last_modified, price_decimals=price_decimals)
    done = HourObjects(pl.DataFrame())
    hours = {prefix: hour for prefix in prefixes if (hour := hour_of(f"{prefix}x"))}
    done.keys = {hour: [] for hour in hours.values()}
    frames = []
    for keys, bodies in chain(batches(source.read(folders)), [([], [])]):
        batch = keys, bodies
        decoded = projection.together(batch)
        rows, rejects = projection.completed(batch, decoded)
        for key in keys:
            done.keys[hours[key[:PREFIX]]].append(key)
        for key, _ in rejects:
            done.rejected[hours[key[:PREFIX]]].append(key)
        frames.append(evidence.added(rows, batch, decoded, price_decimals))
    rows = pl.concat(frames)
    if tombstones is not None:
        living = tombstones.of_others(rows)
        done.erased.update(hours[key[:PREFIX]] for key in rows.join(living, KEY, how="anti")[KEY])
        rows = living
    done.rows = _columns(rows, files, list(hours.values()))
    return done


def _columns(rows: pl.DataFrame, files: Files, hours: Sequence[datetime]) -> pl.DataFrame:
    """Complete the columns of the table."""
    named = rows.rename({SENT_AT.name: SENT})
    is_same = pl.col("sent_event_id") == pl.col("event_id")
    day = pl.col(KEY).str.slice(len("events/"), len("YYYY/MM/DD/HH"))
    whole = named.with_columns(
        sent_event_id=pl.when(~is_same).then("sent_event_id"),
        partition_hour=(day + ":00").str.to_datetime("%Y/%m/%d/%H:%M", time_unit="us", time_zone="UTC"),
    )
    whole = whole.with_columns(_occurrence(named.select(BASIS), files, hours))
    return with_derived(whole).select(pl.col(name).cast(kind) for name, kind in EVENT_COLUMNS.items())


def _occurrence(rows: pl.DataFrame, files: Files, hours: Sequence[datetime]) -> pl.Series:
    """Give `occurred_at` of each row, as the day before the hours and the day after them let it be known."""
    if rows.is_empty():
        return pl.Series(OCCURRED_AT, [], pl.Datetime("us", "UTC"))
    start, end = min(hours) - DAY, max(hours) + HOUR + DAY
    days = {(start + number * DAY).date() for number in range((end - start) // DAY + 1)}
    tasks = [task for task in files.tasks if files.day(task) in days]
    around = [
        chunk.filter(
            pl.col("event_timestamp").is_between(start, end),
            ~pl.col(PARTITION_HOUR).is_in(list(hours)),
        ).join(rows, "client_id", how="semi")
        for chunk in files.chunks(tasks, (*BASIS, PARTITION_HOUR))
    ]
    numbered = rows.with_row_index(NUMBER)
    known = pl.concat([numbered, *(chunk.select(BASIS) for chunk in around)], how="diagonal")
    occurred = with_occurred_at(known.rename({SENT: SENT_AT.name}))
    return occurred.filter(pl.col(NUMBER).is_not_null()).sort(NUMBER)[OCCURRED_AT]
