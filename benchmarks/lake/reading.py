"""Measures reading from the lake: a week's figures beside raw and beside one Parquet file, and the commands."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import duckdb
import polars as pl

from analysis import Engine, LakeEvents, Range, RawEvents, funnel, overview, read_events
from benchmarks.comparison import seconds, take_turns
from benchmarks.lake.child import Cost, command, in_child
from benchmarks.lake.history import History
from benchmarks.targets import Line
from chalicelib.contract import COLUMNS, TABLE

__all__ = ["FileEvents", "cost_of_report", "reading"]

ROUNDS = 15
Metric = Callable[[Engine, Range], pl.DataFrame]


class FileEvents:
    """The engine over one Parquet file that somebody wrote by hand: the contract's columns, sorted by time."""

    clock = "received"
    has_orders = False
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
    (of_raw, raw_seconds), _ = in_child(_from_raw, history)
    (of_lake, lake_seconds), cost = in_child(_from_lake, history)
    if not of_raw.equals(of_lake):
        raise RuntimeError(f"the lake says {of_lake.to_dicts()}, and raw {of_raw.to_dicts()}")
    beside = f"{lake_seconds:.2f} s, over raw {raw_seconds:.1f} s"
    yield Line("overview of 7 days, raw / lake", raw_seconds / lake_seconds, "x", least=100, beside=beside)
    yield Line("overview of 7 days: memory", cost.memory / 1e9, "GB", most=0.5)


def _from_raw(history: History) -> tuple[pl.DataFrame, float]:
    found: list[pl.DataFrame] = []

    def work() -> None:
        within = history.week
        events = RawEvents(read_events(history.bucket, within.start, within.end, lake=False))
        found.append(overview(events, within))

    took = seconds(work)
    return found[0], took


def _from_lake(history: History) -> tuple[pl.DataFrame, float]:
    """Open the lake anew each time; the first time, modules are imported."""
    found: list[pl.DataFrame] = []
    times = [
        seconds(lambda: found.append(overview(LakeEvents(history.lake.root), history.week))) for _ in range(ROUNDS)
    ]
    return found[0], median(times[1:])


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
