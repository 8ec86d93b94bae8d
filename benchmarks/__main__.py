"""`python -m benchmarks`: measure, and print each ratio or figure beside its target."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import click
from rich.console import Console
from rich.progress import track

from benchmarks import backfill, batches, cold_start, dashboard, ingest, pipeline, reader, time_index
from benchmarks.comparison import Comparison
from benchmarks.figures import Figures
from benchmarks.lake import run as lake
from benchmarks.table import as_json, as_table
from benchmarks.targets import Targets

__all__ = ["BENCHMARKS", "Benchmark", "main"]

Result: TypeAlias = Comparison | Figures | Targets


class Benchmark(NamedTuple):
    """A function that measures, and its default number of rounds; `is_sized` if it also takes the number of events."""

    measure: Callable[..., Result]
    rounds: int
    is_sized: bool = False


BENCHMARKS: dict[str, Benchmark] = {
    "ingest": Benchmark(ingest.measure, ingest.ROUNDS),
    "cold-start": Benchmark(cold_start.measure, cold_start.ROUNDS),
    "reader": Benchmark(reader.measure, reader.ROUNDS),
    "reader-duckdb": Benchmark(reader.measure_beside_duckdb, reader.DUCKDB_ROUNDS),
    "backfill": Benchmark(backfill.measure, backfill.ROUNDS),
    "backfill-loop": Benchmark(backfill.measure_beside_loop, backfill.LOOP_ROUNDS),
    "batches": Benchmark(batches.measure, batches.ROUNDS),
    "time-index": Benchmark(time_index.measure, time_index.ROUNDS),
    "freshness": Benchmark(pipeline.freshness, pipeline.ROUNDS),
    "drain": Benchmark(pipeline.drain, pipeline.ROUNDS),
    "refused": Benchmark(pipeline.refused, pipeline.ROUNDS),
    "lake": Benchmark(lake.measure, lake.ROUNDS, is_sized=True),
    "lake-size": Benchmark(lake.measure_size, lake.ROUNDS, is_sized=True),
    "lake-commits": Benchmark(lake.measure_commits, lake.ROUNDS, is_sized=True),
    "dashboard": Benchmark(dashboard.measure, dashboard.ROUNDS, is_sized=True),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice(list(BENCHMARKS)))
@click.option("--json", "is_json", is_flag=True, help="Print one JSON array instead of tables; times are in seconds.")
@click.option("--rounds", type=click.IntRange(min=1), help="Rounds per benchmark.  [default: depends on the benchmark]")
@click.option(
    "--events",
    type=click.IntRange(min=20_000),
    default=lake.EVENTS,
    show_default=True,
    help="Events of the benchmarks of the lake, whose targets are for a million.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if a ratio or a figure misses its target.")
def main(names: tuple[str, ...], *, is_json: bool, rounds: int | None, events: int, strict: bool) -> None:
    """Measure the speed of this code, each time beside a named alternative in the same run.

    Times differ from machine to machine and from minute to minute, but ratios hardly do. Both sides take turns, round
    after round. The result is the median of the rounds' ratios. freshness, drain and refused start a whole stack
    instead, and depend on the machine, as the lake's limits of seconds do: nothing else should run on it. Without
    names, all benchmarks run, which takes about a quarter of an hour, with --events 1000000 about half an hour more:

    \b
    ingest      handle one event as Lambda does, with S3 stubbed,
                beside a bare Chalice route: json.loads, json.dumps, put
    cold-start  start a process that imports the app and makes its S3 client,
                beside 'import chalice, boto3; boto3.client("s3")'
    reader      read 100,000 one-event files as rows of the contract's columns,
                beside a loop that only opens and reads each file
    reader-duckdb
                the same, beside DuckDB's read_json with explicit columns
    backfill    load 100,000 such files into an empty PostgreSQL, beside the slower
                of COPY of the ready-made rows and a loop that only reads the files
    backfill-loop
                load 10,000 files, beside one read and one INSERT per object
    batches     insert 4,000 rows by 10, 100 and 1,000 at once, beside one by one,
                and the whole projector, with objects in memory (1 minute)
    time-index  query a million rows of 30 days by the warehouse's B-tree on time,
                beside BRIN, for rows in order, backfilled, and in the place of
                deleted rows (2 minutes)
    freshness   send events to a local stack, at 10, 50, 100, 200 and 300 per second
                for 12 s each: seconds until their rows are there (1.5 minutes)
    drain       start a stack on 25,000 objects of one hour that have no rows,
                and send new events meanwhile (1 minute)
    refused     send healthy events beside 65 rows that the warehouse refuses
                (1 minute)
    lake        compact seeded events of 30 days, query the lake beside raw and beside
                one Parquet file, validate, report, and erase a client
    lake-size   report a week from a lake with ten times these events
    lake-commits
                compact tiny hours one by one, one for each 500 of these events
    dashboard   open the dashboard over the lake in Chromium, and change filters

    \b
    Examples:
        python -m benchmarks
        python -m benchmarks ingest --rounds 2000
        python -m benchmarks lake --events 1000000
        python -m benchmarks --json | jq '.[] | {name, ratio}'

    Exit codes: 0 measured, 1 a target was missed (only with --strict), 2 wrong usage.
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    results = [_run(name, rounds, events) for name in dict.fromkeys(names or BENCHMARKS)]
    if is_json:
        click.echo(as_json(results))
    else:
        Console().print(*map(as_table, results), sep="\n")
    if strict and not all(result.is_met for result in results):
        raise SystemExit(1)


def _run(name: str, rounds: int | None, events: int) -> Result:
    benchmark = BENCHMARKS[name]
    # On standard error, since standard output is for results only.
    progress = track(range(rounds or benchmark.rounds), name, console=Console(stderr=True), transient=True)
    return benchmark.measure(progress, events) if benchmark.is_sized else benchmark.measure(progress)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
