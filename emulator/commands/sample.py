"""`python -m emulator sample`."""

import json

import click

from command_line.home import Home
from emulator.commands.options import home_option

__all__ = ["sample_command"]


@click.command("sample")
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else on stdout.")
def sample_command(home: Home, *, as_json: bool) -> None:
    """Write a small sample history: four weeks of made-up events.

    It is for the notebooks and the report. On purpose something is wrong with some events, for you to find: duplicates,
    late and lost events, corrupt objects.

    The sample goes only into the stack's own home, and into its embedded warehouse: at once if the stack runs, else
    when it starts. No other warehouse gets it. The command refuses a bucket that has events already. Notebooks, reports
    and 'python -m analysis validate' say that they include a sample. To delete it, stop the stack and use 'python -m
    emulator reset'.

    \b
    Examples:
      python -m emulator sample
      python -m emulator sample --home ~/clickstream-sample --json

    Exit codes: 0 written, 2 wrong usage or environment, 130 interrupted with Ctrl-C.
    """
    # Imported here, since psycopg and rich take longer to import than `--help` takes to run.
    from rich.console import Console

    from emulator.seed.sample import write_sample

    try:
        report = write_sample(home, Console(stderr=True))
    except KeyboardInterrupt:
        click.echo("Stopped. The sample may be incomplete: delete it with 'python -m emulator reset'", err=True)
        raise SystemExit(130) from None
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
        return
    click.echo(report.as_text())
    if report.loaded is None:
        click.echo("The warehouse gets them when the stack starts: 'make run'")
    click.echo("Look at them with 'make notebooks' or 'python -m analysis report'")
