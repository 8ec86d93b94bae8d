"""The command line of the seed."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from analysis.commands.options import zone_option
from command_line.errors import CommandError
from command_line.home import BUCKET, Home, public_url
from emulator.commands.options import home_option

__all__ = ["seed_command"]

HELP = """
Write a realistic history of the demo shop into raw.

The history goes straight into raw partitions, and a file gets the exact answers about it.

Shoppers visit again and again, look around, fill carts, sign in, and buy or leave. Events look as if the publisher had
sent them, and objects as if ingest had stored them. On purpose something is wrong with some of them: duplicates, late
and lost events, wrong clocks, missing ids, bad prices, corrupt objects … The answers say what every metric and every
check must give, exactly.

\b
Examples:
  python -m emulator seed
  python -m emulator seed --days 30 --shoppers 23000 --seed 7 --load
  python -m emulator seed --only late_events --end 2026-11-01T00 --out /data/bucket
  python -m emulator seed --clean --end 2026-11-01T00 --out /data/bucket --load --dw postgresql://...

The same --seed, --days, --shoppers and --end always write the same bytes, so writing them again changes nothing. Other
values add events to the ones that are there, and then the answers do not hold for the whole. In 30 days a shopper makes
about 45 events.

With --load, all objects of these hours also go into the warehouse of the home's stack, or into the one that --dw names.
DW_URL is not used, since it may name the warehouse of another home. If an event has several objects, the first received
becomes its row. A running stack projects new objects by itself, in no particular order, so its rows may differ from the
answers. To load exactly what the answers say, write into a directory of your own with --out. Or write into a home whose
stack does not run, and load into another warehouse.

Exit codes: 0 written, 2 wrong usage or environment, 130 interrupted with Ctrl-C.
"""
END = "Hour after the last hour of the history, in UTC, like 2026-11-24T22.  [default: this hour]"
OUT = "Write into this bucket's directory instead of the home's, as DIR/events/…"
ANSWERS = "Where the answers go.  [default: seed-answers.json in the home, or beside DIR]"
ONLY = (
    "Plant this fault only, such as late_events, in every second shopper whom it suits.  [default: all of them in turn]"
)
HOURS = ("%Y-%m-%dT%H", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


@click.command("seed", help=HELP)
@click.option("--days", type=click.IntRange(1, 1000), default=14, show_default=True, help="Length of the history.")
@click.option(
    "--shoppers", type=click.IntRange(1, 1_000_000), default=500, show_default=True, help="Number of shoppers."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Number of the random history.")
@click.option("--end", type=click.DateTime(HOURS), metavar="HOUR", help=END)
@click.option("--clean", is_flag=True, help="Plant no faults. Then no check finds a problem.")
@click.option("--only", metavar="FAULT", help=ONLY)
@home_option
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help=OUT)
@click.option("--answers", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help=ANSWERS)
@zone_option("Time zone of the hours, days and weeks in the answers.")
@click.option("--load", is_flag=True, help="Load the history into the warehouse too.")
@click.option("--dw", metavar="URL", help="The warehouse of --load.  [default: that of the home's stack]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else on stdout.")
def seed_command(
    days: int,
    shoppers: int,
    seed: int,
    end: datetime | None,
    only: str | None,
    home: Home,
    out: Path | None,
    answers: Path | None,
    zone: str,
    dw: str | None,
    *,
    clean: bool,
    load: bool,
    as_json: bool,
) -> None:
    """Write the history, and print what was written."""
    # Imported here, since psycopg, boto3 and rich take longer to import than `--help` and `env` take to run.
    from rich.console import Console

    from analysis.errors import AnalysisError
    from analysis.place import keep_sample_at_home
    from analysis.rows.prices import checked_decimals
    from chalicelib.errors import SettingsError
    from chalicelib.warehouse.client import Warehouse
    from emulator.seed.clock import milliseconds
    from emulator.seed.planted import FAULTS
    from emulator.seed.run import run
    from emulator.seed.store import Store

    if dw is not None and not load:
        raise click.UsageError("--dw names the warehouse of --load: give both")
    faults = sorted(fault.__name__ for fault in FAULTS)
    if only is not None and (clean or only not in faults):
        raise click.UsageError(f"--only plants one of {', '.join(faults)}, and does not go with --clean")
    store = Store(seed, days, shoppers, milliseconds(_hour(end)), clean, only)
    dw_url = (dw or home.read_stack().dw_url) if load else None
    if out is None:
        home.create()
    directory = home.s3 / BUCKET if out is None else out.absolute()
    decimals = 0
    if dw_url is not None:
        try:
            decimals = checked_decimals(None)
            Warehouse(dw_url)  # refuses a text that is not a URL, without quoting it
            keep_sample_at_home(directory, dw_url)
        except (AnalysisError, SettingsError) as error:
            raise CommandError(str(error)) from None
        if dw is None and os.environ.get("DW_URL") not in (None, "", dw_url):
            click.echo("DW_URL is not used: the warehouse is that of the home's stack; --dw names another", err=True)
        whose = "of the home's stack" if dw is None else "given by --dw"
        click.echo(f"The history goes into the warehouse {public_url(dw_url)} ({whose})", err=True)
    place = answers or (home.path if out is None else directory.parent) / "seed-answers.json"
    try:
        report = run(store, directory, place, dw_url, Console(stderr=True), zone, decimals)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        click.echo(report.as_text())


def _hour(end: datetime | None) -> datetime:
    """Give the full hour at which the history ends. Raises CommandError if it is not a full hour, or in the future."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hour = now if end is None else end.replace(tzinfo=UTC)
    if hour.minute or hour > now:
        raise CommandError("--end must be a full hour, and not in the future: a history is past")
    return hour
