"""Compaction from beginning to end: closed hours of raw become rows of the lake, a day at a time."""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from analysis.errors import AnalysisError
from analysis.lake.accounting import NO_ROWS, changed_records, named, records_of
from analysis.lake.events import HourObjects, read_hours
from analysis.lake.files import Conflict, Count, Damaged, Files
from analysis.lake.hours import Hour, Records, modified_ns
from analysis.lake.location import Location
from analysis.lake.merging import prepared
from analysis.lake.orders import orders_of
from analysis.lake.planning import Closing, Plan, day_span, plan
from analysis.lake.schema import PARTITION_HOUR
from analysis.lake.tables import open_tables
from analysis.lake.upkeep import Swept, sweep_daily, tidy
from analysis.raw.partitions import SCHEME, hour_of, prefix_of
from analysis.raw.source import bucket_of, open_source
from analysis.raw.tombstones import Tombstones, read_tombstones
from analysis.rows.oddities.evidence import Evidence
from analysis.rows.orders import read_orders
from command_line.progress import progress

__all__ = ["Compacted", "compact"]

MOST_TRIES = 10


@dataclass
class Compacted:
    """What was done.

    Attributes:
        hours: How many hours were compacted.
        days: How many days are one file now, and were not before.
        objects: The objects of these hours. They became `rows`, `repeats` (of events that were received before),
            `rejects` (not events) or `erased` (of erased people).
        waiting: How many hours are not closed yet.
        left: How many closed hours of raw are not in the lake, because something kept them from it.
        oldest_left: The first of these hours, if there are any.
        gone: The hours of which raw has fewer objects than were compacted. Their rows stay.
        unreadable: Key and reason of each object that may not be read. Its hour is not compacted.
        damaged: Each file that could not be read. Its day was compacted again from raw.
        swept: What the upkeep removed.
    """

    hours: int = 0
    days: int = 0
    objects: int = 0
    rows: int = 0
    repeats: int = 0
    rejects: int = 0
    erased: int = 0
    waiting: int = 0
    left: int = 0
    oldest_left: datetime | None = None
    gone: list[datetime] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    swept: Swept = field(default_factory=Swept)

    def count(self, records: Iterable[Hour]) -> None:
        """Add the hours of one commit."""
        for record in records:
            self.hours += 1
            self.objects += record.objects
            self.rows += record.rows
            self.repeats += record.repeats
            self.rejects += record.rejects
            self.erased += record.erased


def compact(
    source: str | Path,
    location: Location,
    span: tuple[datetime, datetime] | None = None,
    *,
    recent: bool = False,
    verify: bool = False,
    also_open: bool = False,
    now: datetime | None = None,
) -> Compacted:
    """Compact the closed hours that need it, and look after the lake's files.

    It may be stopped at any moment, and run again: an hour is in the lake as a whole or not at all.

    Args:
        source: The raw bucket, a directory or `s3://bucket`.
        location: Where the lake is. It is made if it is not there.
        span: Compact every hour that covers this span, changed or not.
        recent: Do not look for late objects in hours that ended more than 48 hours ago.
        verify: First read every file, and compare the rows of each hour with its record.
        also_open: Compact the current hour, too. It is compacted again once it is closed. Not for a bucket in S3, where
            nothing says that an hour has changed since.
        now: The time, aware; by default the clock's.

    Raises:
        AnalysisError: Raw or the lake cannot be read or written, or another process writes to the lake, or the open
            hour of a bucket in S3 is asked for.
    """
    if also_open and str(source).startswith(SCHEME):
        raise AnalysisError("the open hour of a bucket in S3 cannot be compacted: wait until it is closed")
    done = Compacted()
    with location.locked():
        run = _Run(source, location, done)
        closing = Closing.at(now or datetime.now(UTC), also_open=also_open)
        found = plan(run.opened, source, run.records.hours, closing, span, recent=recent)
        done.waiting, done.gone = found.waiting, found.gone
        if verify:
            run.verify(found, closing, may_lose=span is not None)
        run.add_unmerged(found, closing)
        try:
            run.compact(found, closing, may_lose=span is not None)
        except KeyboardInterrupt:
            raise AnalysisError("stopped: whole days are done or not begun, and the next run makes the rest") from None
        left = found.closed - run.records.hours.keys()
        done.left, done.oldest_left = len(left), min(left, default=None)
        done.swept = sweep_daily(location, (run.events.table, run.orders.table))
    return done


class _Run:
    """One run of the command: the lake's tables and records, as they are after each commit."""

    def __init__(self, source: str | Path, location: Location, done: Compacted) -> None:
        self.location = location
        self.source = source
        self.done = done
        self.unreadable: list[tuple[str, str]] = []
        self.opened = open_source(source, lambda key, reason: self.unreadable.append((key, reason)))
        self.tombstones: Tombstones | None = read_tombstones(open_source(source))
        self._compacted: set[datetime] = set()
        self.open()

    def open(self) -> None:
        """Look at the lake as it is now."""
        tables = open_tables(self.location, bucket_of(self.source))
        self.price_decimals = tables.price_decimals
        self.events = Files(tables.events, "event_id", "event_timestamp")
        self.orders = Files(tables.orders, "order_id", "placed_at")
        self.records = Records(self.location.store)
        self.evidence = Evidence.made(self.location.store)

    def add_unmerged(self, found: Plan, closing: Closing) -> None:
        """Add the closed days of several files to a plan."""
        for files in (self.events, self.orders):
            for day, count in files.days().items():
                if count > 1 and closing.has_day(day):
                    found.days.setdefault(day, set())

    def verify(self, found: Plan, closing: Closing, *, may_lose: bool) -> None:
        """Read every file. Add to a plan the days of damaged files, and the hours whose rows are not as recorded."""
        counts: dict[datetime, Count] = {}
        for files in (self.events, self.orders):
            with progress(f"reading {files.table.name()[-1]}", len(files.tasks)) as advance:
                for task in files.tasks:
                    try:
                        rows = files.read([task])
                    except Damaged as error:
                        self._replace_damaged(error, found, closing, may_lose=may_lose)
                    else:
                        if files is self.events:
                            counts |= files.counted(rows)
                    advance(1)
        recorded = self.records.hours
        wrong = [
            hour for hour in recorded if counts.get(hour, NO_ROWS) != Count(recorded[hour].rows, recorded[hour].ids)
        ]
        for hour in wrong:
            if self._is_in_raw(hour, recorded[hour]):
                self._forget([hour])
                found.add(hour)
            else:
                found.gone.append(hour)

    def compact(self, found: Plan, closing: Closing, *, may_lose: bool) -> None:
        """Compact the hours of a plan, day by day; some hours may bring in others."""
        with progress("compacting hours", found.hours) as advance:
            tries = 0
            while found.days:
                day = min(found.days)
                hours = found.days[day]
                try:
                    again = self._day(day, sorted(hours), is_closed=closing.has_day(day))
                except Damaged as error:
                    self._replace_damaged(error, found, closing, may_lose=may_lose)
                    continue
                except Conflict:
                    tries += 1
                    if tries > MOST_TRIES:
                        raise
                    time.sleep(random.uniform(0, tries))  # noqa: S311  # so that two writers do not meet again
                    self.open()
                    continue
                tries = 0
                del found.days[day]
                self._compacted |= hours
                for hour in again - self._compacted:
                    found.add(hour)
                advance(len(hours))

    def _day(self, day: date, hours: Sequence[datetime], *, is_closed: bool) -> set[datetime]:
        """Compact hours of one day, and give the hours that have to be compacted again because of them."""
        prefixes = {hour: prefix_of(hour) for hour in hours}
        modified = {hour: modified_ns(self.source, prefix) for hour, prefix in prefixes.items()}
        self.unreadable.clear()
        read = read_hours(
            self.opened, list(prefixes.values()), self.events, self.tombstones, self.price_decimals, self.evidence
        )
        if self.unreadable:
            hours = self._without_unreadable(hours, read)
        was_several = is_closed and len(self.events.of_day(day)) > 1
        events = prepared(self.events, day, hours, read.rows, is_closed=is_closed, keep=self._living)
        orders = prepared(self.orders, day, hours, orders_of(events.rows), is_closed=is_closed, keep=self._living)
        again = self._repeating(hours) if len(events.lost) else set()
        again |= self._ordering(orders.lost, hours)
        # Hours that have expired from raw keep their rows: nobody asked for them.
        again = {hour for hour in again if (known := self.records.get(hour)) is None or self._is_in_raw(hour, known)}
        records = records_of(hours, read, events, modified, self.evidence.mark)
        others = changed_records(self.records.hours, hours, events)
        # Without their records, these hours are compacted again if this stops in the middle.
        self._forget({*hours, *again, *others})
        events.commit()
        orders.commit()
        self.records.write({hour: record for hour, record in (others | records).items() if hour not in again})
        self.done.count(records.values())
        self.done.days += was_several
        for files in (self.events, self.orders):
            tidy(files.table)
        return again

    def _living(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows if self.tombstones is None else self.tombstones.of_others(rows)

    def _without_unreadable(self, hours: Sequence[datetime], read: HourObjects) -> list[datetime]:
        """Leave out the hours with objects that may not be read: they would miss rows."""
        self.done.unreadable += self.unreadable
        incomplete = {hour_of(f"{key.rstrip('/')}/x") or hour_of(key) for key, _ in self.unreadable}
        read.rows = read.rows.filter(~pl.col(PARTITION_HOUR).is_in([hour for hour in incomplete if hour]))
        return [hour for hour in hours if hour not in incomplete]

    def _repeating(self, hours: Sequence[datetime]) -> set[datetime]:
        """Find the hours that hold repeats of events of these hours: a repeat may be the first received now."""
        names = set(named(hours))
        return {hour for hour, record in self.records.hours.items() if names.intersection(record.first_in)}

    def _ordering(self, lost: pl.Series, hours: Sequence[datetime]) -> set[datetime]:
        """Find the hours with events that placed these orders, too: one of them may be the first now."""
        if lost.is_empty():
            return set()
        found: set[datetime] = set()
        columns = ("event_id", "event_name", "order", PARTITION_HOUR)
        for chunk in self.events.chunks(self.events.tasks, columns):
            placed = chunk.filter(pl.col("event_name") == "checkout_complete", ~pl.col(PARTITION_HOUR).is_in(hours))
            orders = read_orders(placed).filter(pl.col("order_id").is_in(lost.implode()))
            found.update(placed.join(orders, "event_id", how="semi")[PARTITION_HOUR])
        return found

    def _forget(self, hours: Iterable[datetime]) -> None:
        recorded = {hour: None for hour in hours if self.records.get(hour) is not None}
        self.records.write(recorded)

    def _is_in_raw(self, hour: datetime, record: Hour) -> bool:
        """Whether raw still has as many objects of an hour as were compacted."""
        folders = [folder for found in self.opened.folders([prefix_of(hour)]) for folder in found]
        return sum(len(folder.names) for folder in folders) >= record.objects

    def _replace_damaged(self, error: Damaged, found: Plan, closing: Closing, *, may_lose: bool) -> None:
        """Have the day of a damaged file compacted again from raw."""
        day = error.day
        here = plan(self.opened, self.source, {}, closing, day_span(day))
        recorded = self.records.of_day(day)
        if not may_lose and not all(self._is_in_raw(hour, record) for hour, record in recorded.items()):
            raise AnalysisError(
                f"{error.path} is damaged ({error.reason}), and raw has fewer objects of {day} than were compacted: "
                f"bring the file back from a copy, or do without its rows by 'python -m analysis compact --start {day} "
                f"--end {day_span(day)[1]:%Y-%m-%d}'"
            )
        self.events.damaged.add(error.path)
        self.orders.damaged.add(error.path)
        self.done.damaged.append(error.path)
        for hour in {*here.days.get(day, ()), *recorded}:
            found.add(hour)
