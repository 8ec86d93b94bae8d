"""`python -m analysis retain`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from analysis.commands.options import stage_option, warehouse_option
from command_line.json_text import json_text

if TYPE_CHECKING:
    from analysis.repair.retain import Retained

__all__ = ["retain_command"]

MOST_DAYS = 36_500  # a century


@click.command("retain")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    required=True,
    help="How many days to keep before today. Days are in UTC, by the warehouse's clock.",
)
@stage_option
@warehouse_option
@click.option("--move-back", is_flag=True, help="Allow an earlier horizon than the one before. It brings no row back.")
@click.option("--dry-run", is_flag=True, help="Only count; exit code 1 if there are older rows. SELECT is enough.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def retain_command(days: int, dw: str | None, *, move_back: bool, dry_run: bool, as_json: bool) -> None:
    """Delete the warehouse's rows and rejects that are older than some days.

    Raw keeps all objects. The warehouse records its horizon, the first day that it keeps: 'validate' does not call
    older rows missing, and 'backfill' does not bring them back, not even with --rebuild. It deletes in batches, so the
    projector goes on meanwhile. If you interrupt it, the same command goes on later. Run it each day, as the owner of
    the tables.

    The age of a row is its event_timestamp, and that of a reject is when it was first seen. If the projector is given
    an older object later, it makes a row of it, and the next run deletes that. Exit code 1 if such rows arrived
    meanwhile.

    The files of the tables do not shrink: new rows take the place of deleted ones. 'erase' is the command to delete a
    person, in raw too.

    \b
    Examples:
      python -m analysis retain --days 400 --dry-run
      python -m analysis retain --days 400 --dw "$DW_URL"
      python -m analysis retain --days 400 --stage prod
      python -m analysis retain --days 800 --move-back
    """
    # Imported here, since what it needs takes longer to import than --help takes to run.
    from analysis.place import needed_warehouse_of
    from analysis.repair.retain import retain
    from command_line.home import BUCKET, Home

    warehouse = needed_warehouse_of(dw, Home.default().s3 / BUCKET)
    done = retain(warehouse, days, dry_run=dry_run, move_back=move_back)
    if as_json:
        click.echo(json_text(asdict(done)))
    else:
        _show(done, dry_run=dry_run)
    raise SystemExit(1 if done.left or (dry_run and (done.rows or done.rejects)) else 0)


def _show(done: "Retained", *, dry_run: bool) -> None:
    from rich.console import Console

    from command_line.console import text_table

    verb = "to delete" if dry_run else "deleted"
    rows = [
        ("rows are kept since", f"{done.horizon:%Y-%m-%d} (UTC)"),
        (f"rows {verb}", f"{done.rows:,}"),
        (f"rejects {verb}", f"{done.rejects:,}"),
    ]
    if done.left:
        rows.append(("older ones that arrived meanwhile", f"{done.left:,}"))
    Console().print(text_table(["dry run" if dry_run else "retain", ""], rows))
