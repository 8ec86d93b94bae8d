"""Measures how the lake grows: ten times the history beside once, and the last of many hourly commits."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from analysis import LakeEvents, overview
from analysis.lake.compaction import compact
from analysis.lake.files import Files
from analysis.lake.location import Location
from analysis.lake.schema import PARTITION_HOUR
from analysis.lake.tables import Tables, open_tables
from analysis.raw.source import bucket_of
from analysis.rows.fields import KEY
from benchmarks.lake.child import Cost, in_child, timed
from benchmarks.lake.history import CLOSED, DAY, DAYS, END, HOUR, START, History
from benchmarks.lake.reading import cost_of_report
from benchmarks.reader import write_events
from benchmarks.targets import Line

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile

__all__ = ["TIMES", "commits", "multiply", "ten_times"]

TIMES = 10
ROUNDS = 3
IDS = ("event_id", "client_id", "session_id")
# Objects of each hour, hours whose median counts, and the early hour in their midst.
OBJECTS, AROUND, EARLY = 2, 24, 50


def ten_times(history: History) -> Iterator[Line]:
    """Write TIMES the history into another lake, and use it beside the lake of the history."""
    big = Location(str(history.directory / "big"))
    rows = multiply(history, big)
    size = f"{rows:,} events / {rows // TIMES:,}"
    if not _overview(big.root, history).equals(_overview(history.lake.root, history)):
        raise RuntimeError("the lakes have another overview")
    works: dict[str, Callable[[Location], Cost]] = {
        "overview of 7 days in a new process": lambda lake: in_child(_overview, lake.root, history)[1],
        "report of 7 days": lambda lake: cost_of_report(history, history.week, lake.root),
    }
    for what, work in works.items():
        before, after = _in_turns(work, history.lake, big)
        for index, name in ((0, "seconds"), (1, "CPU")):
            beside = f"{after[index]:.2f} s and {before[index]:.2f} s"
            yield Line(f"{what}, {size}, by {name}", after[index] / before[index], "x", most=1.5, beside=beside)
        beside = f"{after.memory / 1e9:.2f} GB and {before.memory / 1e9:.2f} GB"
        yield Line(f"{what}, {size}: memory", after.memory / before.memory, "x", most=1.1, beside=beside)
    hour = history.busiest_hours((END - DAY).date(), 1)
    before, after = _in_turns(lambda lake: _again(history, lake, hour), history.lake, big)
    beside = f"{after.cpu:.2f} s and {before.cpu:.2f} s"
    yield Line(f"compacting an hour again, {size}, by CPU", after.cpu / before.cpu, "x", beside=beside)


def _overview(lake: str, history: History) -> pl.DataFrame:
    return overview(LakeEvents(lake), history.week)


def _again(history: History, lake: Location, hour: datetime) -> Cost:
    """Compact an hour again. It looks for its ids in the whole table."""
    return timed(lambda: compact(history.bucket, lake, (hour, hour + HOUR), now=END + CLOSED))


def _in_turns(work: Callable[[Location], Cost], *lakes: Location) -> list[Cost]:
    """Do some work with each lake, round after round, and give the medians of each."""
    costs: dict[Location, list[Cost]] = {lake: [] for lake in lakes}
    for _ in range(ROUNDS):
        for lake, found in costs.items():
            found.append(work(lake))
    return [Cost(*map(median, zip(*found, strict=True))) for found in costs.values()]


def multiply(history: History, location: Location) -> int:
    """Write the rows of a lake into another one, as they are, and again with other ids for DAYS days before, and so on.

    Returns:
        How many events the other lake has.
    """
    there = open_tables(location, bucket_of(history.bucket))
    shutil.copytree(Path(history.lake.root) / "hours", Path(location.root) / "hours")
    rows = 0
    for number in range(TIMES):
        for old, new in zip(_both(open_tables(history.lake)), _both(there), strict=True):
            written: list[DataFile] = []
            for task in old.tasks:
                frame = _shifted(old.read([task]), number)
                written += new.write(frame, old.day(task) - number * DAYS * DAY)
                rows += frame.height if new.id == "event_id" else 0
            new.replace([], written)
    return rows


def _both(tables: Tables) -> tuple[Files, Files]:
    return Files(tables.events, "event_id", "event_timestamp"), Files(tables.orders, "order_id", "placed_at")


def _shifted(rows: pl.DataFrame, number: int) -> pl.DataFrame:
    """Move rows into the past, and give their events, visitors, sessions and orders other ids."""
    if number == 0:
        return rows
    moments = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    tail = pl.col(KEY).str.slice(len("events/YYYY/MM/DD/HH"))
    return rows.with_columns(
        pl.col(moments) - timedelta(days=number * DAYS),
        # Hexadecimal, as the first digits of a UUID are.
        *((pl.lit(f"{number:08x}") + pl.col(name).str.slice(8)).alias(name) for name in IDS if name in rows.columns),
        *((pl.lit(f"{number}-") + pl.col(name)).alias(name) for name in ("order_id",) if name in rows.columns),
    ).with_columns((pl.lit("events/") + pl.col(PARTITION_HOUR).dt.strftime("%Y/%m/%d/%H") + tail).alias(KEY))


def commits(directory: Path, number: int) -> Iterator[Line]:
    """Compact so many tiny hours, one after the other, as the hourly command does, and the first 50 of another lake.

    The last hours of both lakes take turns, so that other work on the machine slows down both alike.
    """
    few, many = History(directory / "few"), History(directory / "many")
    firsts = {few: EARLY - AROUND // 2, many: number - AROUND}
    costs: dict[History, list[Cost]] = {few: [], many: []}
    for history, first in firsts.items():
        for each in range(first):
            _commit(history, each)
    for each in range(AROUND):
        for history, first in firsts.items():
            costs[history].append(_commit(history, first + each))
    for index, name in ((0, "seconds"), (1, "CPU")):
        before, after = (median(each[index] for each in costs[history]) for history in (few, many))
        what = f"hourly commit {number:,} / the {EARLY}th, by {name}"
        yield Line(what, after / before, "x", most=2, beside=f"{after * 1e3:.0f} ms and {before * 1e3:.0f} ms")


def _commit(history: History, number: int) -> Cost:
    """Write the objects of one hour, and compact it."""
    hour = START + number * HOUR
    write_events(history.bucket, hour, hour + HOUR, OBJECTS)
    return timed(lambda: compact(history.bucket, history.lake, recent=True, now=hour + HOUR + CLOSED))
