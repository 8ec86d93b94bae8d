"""The command line of the fuzzer."""

import importlib.util
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from command_line.console import text_table
from tests.fuzz.run import Fuzzed, fuzz, replay

__all__ = ["main"]

HELP = """
Send hostile bytes through ingest and projection, guided by what they cover.

Nothing may crash, hang, get a 5xx, be stored otherwise than it was sent, or become a row that PostgreSQL would refuse.
What breaks something is kept in a file, for --replay.

\b
Examples:
  make fuzz
  make fuzz RUNS=10000000
  python -m tests.fuzz --replay found-crash-…

Exit code: 0 nothing was found, 1 something was, 2 it cannot run here.
"""


@click.command(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--runs", type=click.IntRange(1), default=200_000, show_default=True, help="Inputs, of all processes.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option(
    "--replay", "found", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Run this one only."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else on stdout.")
def main(runs: int, workers: int, found: Path | None, *, as_json: bool) -> None:
    """Fuzz, and print what came of it."""
    if found is not None:
        replay(found)
        click.echo("nothing is wrong with it")
        return
    if missing := [name for name in ("atheris", "coverage") if importlib.util.find_spec(name) is None]:
        click.echo(f"Error: {', '.join(missing)} not installed: run 'make fuzz', on Linux on x86-64", err=True)
        raise SystemExit(2)
    folder = Path(tempfile.mkdtemp(prefix="clickstream-fuzz-"))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("fuzzing", total=runs)
        done = fuzz(folder, runs, workers, lambda inputs: bar.update(task, completed=inputs))
    click.echo(json.dumps(asdict(done), indent=2)) if as_json else _show(done)
    raise SystemExit(1 if done.findings else 0)


def _show(done: Fuzzed) -> None:
    rows = [
        ("inputs", f"{done.inputs:,}"),
        ("seconds", f"{done.seconds:,.0f}"),
        ("inputs per second", f"{done.inputs / done.seconds:,.0f}"),
        ("inputs kept, for what they cover", f"{done.corpus:,}"),
        ("findings", f"{len(done.findings):,}"),
    ]
    console = Console()
    console.print(text_table(["fuzz", ""], rows))
    modules = [(name, f"{each['lines']:.1f}", f"{each['branches']:.1f}") for name, each in done.coverage.items()]
    if modules:
        console.print(text_table(["module", "lines covered, %", "branches, %"], modules))
    for each in done.findings:
        console.print(each, markup=False, style="bold red", soft_wrap=True)


if __name__ == "__main__":
    main()
