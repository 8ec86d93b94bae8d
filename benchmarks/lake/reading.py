"""Measures reading from the lake: a week's figures beside raw and beside one Parquet file, and the commands."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import duckdb
import polars as pl

from analysis import Engine, LakeEvents, Range, RawEvents, funnel, overview, read_events, read_history
from benchmarks.comparison import seconds, take_turns
from benchmarks.lake.child import Cost, command, fresh, in_child, timed
from benchmarks.lake.history import HOUR, History
from benchmarks.targets import Line
from chalicelib.contract import COLUMNS, TABLE

__all__ = ["FileEvents", "cost_of_report", "reading"]

ROUNDS = 15
FRESH_ROUNDS = 5
Metric = Callable[[Engine, Range], pl.DataFrame]
Overview = Callable[[History, Range], pl.DataFrame]
# The same as `_from_raw` and `_from_lake`, in a new Python.
FRESH = """
import sys
from analysis import {name}, Range, moment, overview, read_events
place, start, end = sys.argv[1], *map(moment, sys.argv[2:])
overview({events}, Range(start, end))
"""
FRESH_RAW = FRESH.format(name="RawEvents", events="RawEvents(read_events(place, start, end, lake=False))")
FRESH_LAKE = FRESH.format(name="LakeEvents", events="LakeEvents(place)")


class FileEvents:
    """The engine over one Parquet file that somebody wrote by hand: the contract's columns, sorted by time."""

    clock = "received"
    has_orders = False
    has_derived = False
    price_decimals = 0

    def __init__(self, path: Path) -> None:
        self._database = duckdb.connect()
        self._database.execute("SET GLOBAL TimeZone = 'UTC'")
        schema = TABLE.partition(".")[0]
        self._database.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self._database.execute(f"CREATE VIEW {TABLE} AS FROM read_parquet('{path}')")

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query, as `Engine` says."""
        with self._database.cursor() as cursor:
            named = {name: value for name, value in parameters.items() if f"${name}" in sql}
            frame: pl.DataFrame = cursor.sql(sql, params=named).pl()
            return frame


def reading(history: History) -> Iterator[Line]:
    """Measure; the lake is there."""
    yield from _overview(history)
    yield from _beside_file(history)
    for lake, from_what, most in ((None, "over raw", 60), (history.lake.root, "with the lake", 20)):
        for name, measure in (("validate", _cost_of_validation), ("report", cost_of_report)):
            cost = measure(history, history.whole, lake)
            yield Line(f"{name} {from_what}, 30 days: memory", cost.memory / 1e9, "GB", most=2)
            yield Line(f"{name} {from_what}, 30 days", cost.seconds, "s", most=most, beside=f"{cost.cpu:.1f} s of CPU")


def _cost_of_validation(history: History, within: Range, lake: str | None) -> Cost:
    """Validate a range in a process of its own, with a lake or without."""
    _, cost = in_child(command, ["validate", *_place(history, within), *_which(lake)])
    return cost


def cost_of_report(history: History, within: Range, lake: str | None) -> Cost:
    """Write the report of a range in a process of its own, with a lake or without."""
    out = str(history.directory / "report.html")
    _, cost = in_child(command, ["report", *_place(history, within), *_which(lake), "--out", out])
    return cost


def _which(lake: str | None) -> list[str]:
    return ["--no-lake"] if lake is None else ["--lake", lake]


def _place(history: History, within: Range) -> list[str]:
    start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (within.start, within.end))
    return ["--source", str(history.bucket), "--start", start, "--end", end, "--zone", "UTC"]


def _overview(history: History) -> Iterator[Line]:
    """Open the events and compute the overview, from raw and from the lake.

    A figure of raw includes listing, reading and loading the objects of the week and of the day before. One of the lake
    includes its catalog, metadata and planning, but not if the lake is open. "With its hours checked" also includes
    whether raw still has the recorded objects of each hour. Modules are imported before, and the DuckDB that engines
    over a lake share is started, but for the new processes.
    """
    (of_raw, (raw,)), _ = in_child(_repeated, _from_raw, history, 1)
    (of_lake, lake), cost = in_child(_repeated, _from_lake, history, ROUNDS)
    (of_both, both), _ = in_child(_repeated, _from_history, history, ROUNDS)
    queries, _ = in_child(_from_open_lake, history, ROUNDS)
    if not (of_raw.equals(of_lake) and of_raw.equals(of_both)):
        raise RuntimeError(f"the lake says {of_lake.to_dicts()} and {of_both.to_dicts()}, and raw {of_raw.to_dicts()}")
    yield _faster("overview of 7 days, raw / lake", raw, lake, least=100)
    yield _faster("overview of 7 days, raw / open lake", raw, queries)
    yield _faster("overview of 7 days, raw / lake with its hours checked", raw, both)
    yield Line("overview of 7 days: memory", cost.memory / 1e9, "GB", most=0.5)
    week = [moment.isoformat() for moment in (history.week.start, history.week.end)]
    new_raw = fresh(FRESH_RAW, str(history.bucket), *week)
    new_lake = [fresh(FRESH_LAKE, history.lake.root, *week) for _ in range(FRESH_ROUNDS)]
    yield _faster("overview of 7 days in a new process, raw / lake", new_raw, new_lake)


def _faster(what: str, raw: Cost, lakes: list[Cost], least: float | None = None) -> Line:
    """Compare by the clock; other work on the machine disturbs the short runs more, so the quickest of them counts."""
    clock, cpu = min(lake.seconds for lake in lakes), min(lake.cpu for lake in lakes)
    beside = f"{clock:.2f} s, over raw {raw.seconds:.1f} s; by CPU {cpu:.2f} s, {raw.cpu:.1f} s: {raw.cpu / cpu:.0f}x"
    return Line(what, raw.seconds / clock, "x", least=least, beside=beside)


def _repeated(work: Overview, history: History, rounds: int) -> tuple[pl.DataFrame, list[Cost]]:
    """Do work once for a single hour, which imports what it needs, and then some times for the week."""
    start = history.week.start
    work(history, Range(start, start + HOUR))
    found: list[pl.DataFrame] = []
    costs = [timed(lambda: found.append(work(history, history.week))) for _ in range(rounds)]
    return found[0], costs


def _from_raw(history: History, within: Range) -> pl.DataFrame:
    return overview(RawEvents(read_events(history.bucket, within.start, within.end, lake=False)), within)


def _from_lake(history: History, within: Range) -> pl.DataFrame:
    return overview(LakeEvents(history.lake.root), within)


def _from_open_lake(history: History, rounds: int) -> list[Cost]:
    lake = LakeEvents(history.lake.root)
    overview(lake, history.week)
    return [timed(lambda: overview(lake, history.week)) for _ in range(rounds)]


def _from_history(history: History, within: Range) -> pl.DataFrame:
    return overview(read_history(history.bucket, None, within, lake=history.lake.root).raw, within)


def _beside_file(history: History) -> Iterator[Line]:
    """The same SQL by engines that are open already."""
    path = history.directory / "events.parquet"
    names = [column.name for column in COLUMNS]
    lake = LakeEvents(history.lake.root)
    rows = lake.query(f"SELECT {', '.join(names)} FROM {TABLE} ORDER BY event_timestamp", {})  # noqa: S608  # our own names
    rows.write_parquet(path, compression="zstd")
    file = FileEvents(path)
    metrics: dict[str, tuple[Metric, float]] = {"overview": (overview, 1.5), "funnel": (funnel, 1.3)}
    for name, (metric, most) in metrics.items():
        for within, days in ((history.week, 7), (history.whole, 30)):
            if not metric(lake, within).equals(metric(file, within)):
                raise RuntimeError(f"the lake and the file have another {name}")
            pairs = take_turns(
                range(ROUNDS),
                lambda: seconds(lambda: metric(lake, within)),  # noqa: B023  # called at once
                lambda: seconds(lambda: metric(file, within)),  # noqa: B023  # as above
            )
            ours, theirs = (median(times) for times in zip(*pairs, strict=True))
            ratio = median(each / other for each, other in pairs)
            beside = f"{ours * 1e3:.0f} ms, the file {theirs * 1e3:.0f} ms"
            yield Line(f"{name} of {days} days, lake / one file", ratio, "x", most=most, beside=beside)
