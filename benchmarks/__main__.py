"""`python -m benchmarks`: measure, and print each ratio beside its target."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import track

from benchmarks import backfill, cold_start, ingest, reader
from benchmarks.comparison import Comparison
from benchmarks.table import as_json, as_table

__all__ = ["BENCHMARKS", "Benchmark", "main"]


class Benchmark(NamedTuple):
    """How to measure, and over how many rounds."""

    measure: Callable[[Iterable[object]], Comparison]
    rounds: int


BENCHMARKS: dict[str, Benchmark] = {
    "ingest": Benchmark(ingest.measure, ingest.ROUNDS),
    "cold-start": Benchmark(cold_start.measure, cold_start.ROUNDS),
    "reader": Benchmark(reader.measure, reader.ROUNDS),
    "reader-duckdb": Benchmark(reader.measure_beside_duckdb, reader.DUCKDB_ROUNDS),
    "backfill": Benchmark(backfill.measure, backfill.ROUNDS),
    "backfill-loop": Benchmark(backfill.measure_beside_loop, backfill.LOOP_ROUNDS),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice(list(BENCHMARKS)))
@click.option("--json", "is_json", is_flag=True, help="Print one JSON array instead of tables; times in seconds.")
@click.option("--rounds", type=click.IntRange(min=1), help="Rounds per benchmark.  [default: its own]")
@click.option("--strict", is_flag=True, help="Exit with 1 if a ratio is above its target.")
def main(names: tuple[str, ...], *, is_json: bool, rounds: int | None, strict: bool) -> None:
    """Measure how fast this code is, each time beside a named alternative in the same run.

    Times differ from machine to machine and from minute to minute; ratios hardly do. Both sides take turns, round after
    round, and what counts is the median of the rounds' ratios. Without names, all benchmarks run, for several minutes:

    \b
    ingest      one event through the handler that Lambda calls, S3 stubbed,
                beside a bare Chalice route: json.loads, json.dumps, put
    cold-start  a new process that imports the app and makes its S3 client,
                beside 'import chalice, boto3; boto3.client("s3")'
    reader      100,000 one-event files as rows of the contract's columns,
                beside a loop that only opens and reads each of them
    reader-duckdb
                the same files, beside DuckDB's read_json with explicit columns
    backfill    100,000 such files into an empty PostgreSQL, beside the slower of
                COPY of the ready-made rows and a loop that only reads the files
    backfill-loop
                10,000 of them, beside one read and one INSERT per object

    \b
    For example:
        python -m benchmarks
        python -m benchmarks ingest --rounds 2000
        python -m benchmarks --json | jq '.[] | {name, ratio}'

    Exit codes: 0 measured, whatever came out; 1 a target was missed, with --strict only; 2 wrong usage.
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    comparisons = [_run(name, rounds) for name in dict.fromkeys(names or BENCHMARKS)]
    if is_json:
        click.echo(as_json(comparisons))
    else:
        Console().print(*map(as_table, comparisons), sep="\n")
    if strict and not all(comparison.is_met for comparison in comparisons):
        raise SystemExit(1)


def _run(name: str, rounds: int | None) -> Comparison:
    benchmark = BENCHMARKS[name]
    # On standard error: standard output is for results alone.
    progress = track(range(rounds or benchmark.rounds), name, console=Console(stderr=True), transient=True)
    return benchmark.measure(progress)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
