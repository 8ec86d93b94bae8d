"""`python -m analysis rejects`."""

from dataclasses import asdict
from typing import Any

import click

from analysis.commands.notes import note_sample
from analysis.commands.options import source_option, stage_option, warehouse_option
from command_line.json_text import json_text, plain
from command_line.printable import printable, printable_lines

__all__ = ["rejects_command"]


def _places(source: str | None, dw: str | None) -> tuple[Any, str]:
    # Imported here, since Polars takes longer to import than --help takes to run.
    from analysis.place import needed_warehouse_of, source_of

    bucket = source_of(source)
    return bucket, needed_warehouse_of(dw, bucket)


@click.group("rejects", invoke_without_command=True)
@click.pass_context
def rejects_command(context: click.Context) -> None:
    """Work through rejects: objects in raw that are not events.

    Without a command, it lists them.

    \b
    Examples:
      python -m analysis rejects
      python -m analysis rejects show events/2026/11/25/09/event-….json
      python -m analysis rejects retry --all
      python -m analysis rejects list --stage prod
      python -m analysis rejects dismiss events/2026/11/25/09/event-….json --reason "a test of ours"
    """
    if context.invoked_subcommand is None:
        context.invoke(list_command, stage=None, source=None, dw=None, every=False, as_json=False)


@rejects_command.command("list")
@stage_option
@source_option
@warehouse_option
@click.option("--every", is_flag=True, help="List dismissed rejects too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, and nothing else.")
def list_command(source: str | None, dw: str | None, *, every: bool, as_json: bool) -> None:
    """List rejects, the oldest first. Exit code 1 if a reject was not dismissed."""
    from analysis.repair.rejects import rejects

    bucket, warehouse = _places(source, dw)
    found = rejects(warehouse, bucket)
    note_sample(bucket)
    shown = [reject for reject in found if every or reject.dismissed is None]
    if as_json:
        click.echo(json_text([asdict(reject) for reject in shown]))
    elif shown:
        # No table: a key that is folded into a column cannot be copied.
        for each in shown:
            click.echo(printable(each.key))
            click.echo(f"  since {plain(each.first_seen)}: {printable(each.reason)}")
            if each.dismissed is not None:
                click.echo(f"  dismissed: {printable(each.dismissed)}")
    else:
        click.echo("There are no rejects.")
    raise SystemExit(1 if any(reject.dismissed is None for reject in found) else 0)


@rejects_command.command("show")
@click.argument("key")
@stage_option
@source_option
def show_command(key: str, source: str | None) -> None:
    """Print the object KEY as it is in raw. Control characters are printed as escapes."""
    from analysis.place import source_of
    from analysis.repair.rejects import stored

    click.echo(printable_lines(stored(source_of(source), key).decode("utf-8", "backslashreplace")))


@rejects_command.command("retry")
@click.argument("keys", nargs=-1)
@click.option("--all", "all_of_them", is_flag=True, help="Retry every reject that was not dismissed.")
@stage_option
@source_option
@warehouse_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def retry_command(
    keys: tuple[str, ...], source: str | None, dw: str | None, *, all_of_them: bool, as_json: bool
) -> None:
    """Project the objects KEYS once more. Events become rows. Exit code 1 if an object is still rejected."""
    from analysis.place import keep_sample_at_home
    from analysis.repair.rejects import open_rejects, retry

    if bool(keys) == all_of_them:
        raise click.UsageError("name the keys of objects, or --all")
    bucket, warehouse = _places(source, dw)
    keep_sample_at_home(bucket, warehouse)
    wanted = [reject.key for reject in open_rejects(warehouse, bucket)] if all_of_them else keys
    retried = retry(warehouse, bucket, wanted)
    if as_json:
        click.echo(json_text(asdict(retried)))
    else:
        click.echo(
            f"{len(retried.recovered)} are rows now, {len(retried.rejected)} are still rejected, "
            f"{len(retried.gone)} are not in raw."
        )
    raise SystemExit(1 if retried.rejected or retried.gone else 0)


@rejects_command.command("dismiss")
@click.argument("key")
@click.option("--reason", required=True, help="Why it may stay as it is.")
@stage_option
@source_option
@warehouse_option
def dismiss_command(key: str, reason: str, source: str | None, dw: str | None) -> None:
    """Record why the object KEY may stay as it is. It stays in raw, and is no longer listed."""
    from analysis.repair.rejects import dismiss

    bucket, warehouse = _places(source, dw)
    dismiss(warehouse, bucket, key, reason)
