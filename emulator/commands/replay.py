"""`python -m emulator replay`: post a public event log through the collector, and check that every event arrives."""

import json
from pathlib import Path

import click
from rich.console import Console

from command_line.home import Home
from command_line.interrupt import stopped_by_ctrl_c
from command_line.numbers import FiniteRange
from emulator.commands.options import home_option

__all__ = ["replay_command"]

HELP = """
Post a public event log, and check that every event arrives.

FILE is CSV in the REES46 format, with the columns event_time, event_type, product_id, category_id, category_code,
brand, price, user_id and user_session. Each line becomes one event. Its eventId is derived from the line, so a second
replay of the same file adds no rows.

\b
Examples:
  python -m emulator replay 2019-Oct.csv --limit 1000
  DW_URL=postgresql://... RAW_BUCKET_NAME=my-bucket \\
    python -m emulator replay 2019-Oct.csv --url https://api.example.com/clickstream

With --url, the replay checks rows only if DW_URL is set, and objects only if RAW_BUCKET_NAME is set (it reads them
with the AWS_* variables). The report says "not checked" for the rest.

Exit codes: 0 every event arrived, 1 a line was malformed, or an event was refused or lost, 2 wrong usage or
environment, 130 interrupted with Ctrl-C.
"""
MOST_TIMEOUT = 24 * 3600
TIMEOUT = "Stop waiting for rows when no new one has arrived for so long."


@click.command("replay", help=HELP)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@home_option
@click.option("--url", help="Post to this URL, e.g. a deployed stage.  [default: the running stack's endpoint]")
@click.option("--limit", type=click.IntRange(min=1), help="Read only the first N lines after the header.")
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=8, show_default=True, help="Events to post at the same time."
)
@click.option(
    "--timeout", type=FiniteRange(0, MOST_TIMEOUT), default=60.0, show_default=True, metavar="SECONDS", help=TIMEOUT
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as one JSON object, and nothing else on stdout."
)
def replay_command(
    file: Path,
    home: Home,
    url: str | None,
    limit: int | None,
    concurrency: int,
    timeout: float,
    *,
    as_json: bool,
) -> None:
    """Replay FILE, print the report, and exit with its exit code."""
    # Imported here, since boto3, psycopg and httpx2 take longer to import than `--help` and `env` take to run.
    from emulator.replay import output
    from emulator.replay.ends import ends_of_environment, ends_of_stack
    from emulator.replay.run import replay

    ends = ends_of_environment(url) if url is not None else ends_of_stack(home.read_stack())
    with stopped_by_ctrl_c() as stop:
        report = replay(file, ends, limit=limit, concurrency=concurrency, timeout=timeout, stop=stop)
    if as_json:
        click.echo(json.dumps(output.as_json(report), indent=2))
    else:
        output.show(report, Console())
    raise SystemExit(report.exit_code)
