"""`python -m analysis upgrade`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from analysis.commands.options import stage_option, warehouse_option
from command_line.json_text import json_text
from command_line.printable import printable_lines

if TYPE_CHECKING:
    from analysis.repair.upgrade import Upgraded

__all__ = ["upgrade_command"]


@click.command("upgrade")
@stage_option
@warehouse_option
@click.option("--function", metavar="NAME", help="Let this operations function do it, which reaches the warehouse.")
@click.option("--dry-run", is_flag=True, help="Only print the SQL that would run; exit code 1 if there is any.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def upgrade_command(dw: str | None, function: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Add to the warehouse the tables and columns that it lacks.

    These are the ones that this version of the code needs. Rows stay as they are, and so does everything that you have
    added yourself. It is safe while the projector runs, and can be repeated. It needs a role that owns the tables, and
    runs as a whole or not at all. 'make deploy' runs it too.

    With --stage or --function, the stage's operations function does it, as the owner of the tables. It also makes the
    stage's other database users, the writer and the reader, and gives each the privileges of this version.

    Exit code 2 if the warehouse refuses, or is newer than this code. With --stage or --function, a newer warehouse is
    no error: the projector goes on with the columns that it knows.

    \b
    Examples:
      python -m analysis upgrade --dry-run
      python -m analysis upgrade --dw "$DW_URL"
      python -m analysis upgrade --stage prod
      python -m analysis upgrade --function clickstream-prod-operations
    """
    # Imported here, since what it needs takes longer to import than --help takes to run.
    from analysis.place import needed_warehouse_of
    from analysis.repair.upgrade import upgrade, upgrade_through
    from command_line.home import BUCKET, Home

    if function == "":
        raise click.UsageError("--function is empty: name the operations function")
    if dw and function:
        raise click.UsageError("name one of --stage, --dw and --function")
    if function:
        done = upgrade_through(function, dry_run=dry_run)
    else:
        done = upgrade(needed_warehouse_of(dw, Home.default().s3 / BUCKET), dry_run=dry_run)
    click.echo(json_text(asdict(done)) if as_json else _as_text(done, dry_run=dry_run))
    raise SystemExit(1 if dry_run and done.statements else 0)


def _as_text(done: "Upgraded", *, dry_run: bool) -> str:
    if done.is_newer:
        return (
            f"The warehouse is at version {done.was}, and the projector knows {done.knows}: nothing to do. "
            "It goes on with the columns that it knows."
        )
    users = f"\nIts users have their privileges: {', '.join(done.users)}." if done.users else ""
    if not done.statements:
        return f"The warehouse is at version {done.knows}: nothing to do.{users}"
    said = (
        f"The warehouse is at version {done.was}, and the code knows {done.knows}. This SQL would run:"
        if dry_run
        else f"The warehouse was at version {done.was}, and is at {done.knows} now. This SQL ran:"
    )
    return "\n\n".join([said, *map(printable_lines, done.statements)]) + users
