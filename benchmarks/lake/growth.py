"""Measures how the lake grows: ten times the history beside once, and the last of many hourly commits."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
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
from benchmarks.lake.child import Cost, timed
from benchmarks.lake.history import CLOSED, DAY, DAYS, HOUR, START, History
from benchmarks.lake.reading import cost_of_report
from benchmarks.reader import write_events
from benchmarks.targets import Line

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile

__all__ = ["TIMES", "commits", "multiply", "ten_times"]

TIMES = 10
ROUNDS = 3
IDS = ("event_id", "client_id", "session_id")
# Objects of each hour, and hours whose median counts.
OBJECTS, AROUND = 2, 24


def ten_times(history: History) -> Iterator[Line]:
    """Write TIMES the history into another lake, and report its last days from it."""
    big = Location(str(history.directory / "big"))
    rows = multiply(history, big)
    reports: dict[str, list[Cost]] = {history.lake.root: [], big.root: []}
    if not overview(LakeEvents(big.root), history.week).equals(overview(LakeEvents(history.lake.root), history.week)):
        raise RuntimeError("the lakes have another overview")
    for _ in range(ROUNDS):
        for lake, costs in reports.items():
            costs.append(cost_of_report(history, history.week, lake))
    once, more = ([median(each) for each in zip(*costs, strict=True)] for costs in reports.values())
    what = f"report of 7 days: {rows:,} events / {rows // TIMES:,}"
    yield Line(what, more[0] / once[0], "x", most=1.5, beside=f"{more[0]:.1f} s and {once[0]:.1f} s")
    memory = f"{more[2] / 1e9:.2f} GB and {once[2] / 1e9:.2f} GB"
    yield Line(f"{what}: memory", more[2] / once[2], "x", most=1.1, beside=memory)


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
    """Compact so many tiny hours, one after the other, as the hourly command does."""
    history = History(directory)
    costs = []
    for each in range(number):
        hour = START + each * HOUR
        write_events(history.bucket, hour, hour + HOUR, OBJECTS)
        costs.append(
            timed(lambda: compact(history.bucket, history.lake, recent=True, now=hour + HOUR + CLOSED))  # noqa: B023  # called at once
        )
    early, last = costs[50 - AROUND // 2 : 50 + AROUND // 2], costs[-AROUND:]
    for index, name in ((0, "seconds"), (1, "CPU")):
        before, after = (median(each[index] for each in some) for some in (early, last))
        what = f"hourly commit {number:,} / the 50th, by {name}"
        yield Line(what, after / before, "x", most=2, beside=f"{after * 1e3:.0f} ms and {before * 1e3:.0f} ms")
