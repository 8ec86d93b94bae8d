"""The command `python -m analysis trace`."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from analysis.commands.notes import note_sample
from analysis.commands.options import DAYS, source_option, span_options, stage_option, warehouse_option
from analysis.metrics.range import span
from command_line.json_text import json_text, plain

if TYPE_CHECKING:
    from analysis.checks.trace import EventTrace

__all__ = ["trace_command"]


@click.command("trace")
@click.argument("event_id")
@stage_option
@source_option
@warehouse_option
@span_options(DAYS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def trace_command(
    event_id: str,
    source: str | None,
    dw: str | None,
    start: datetime | None,
    end: datetime | None,
    zone: str,
    *,
    as_json: bool,
) -> None:
    """Follow one event from its raw objects to its row.

    Duplicates and rejects with its id are listed too. Partitions are hours in UTC: all that cover the span are read.
    EVENT_ID is the event's id, as it was sent or as the warehouse has it, or an object's key. Exit code 1 if the
    searched hours of raw do not have the event, or if it has no row although the warehouse keeps rows of its age.

    \b
    Examples:
      python -m analysis trace 7c9e6679-7425-40de-944b-e07fc1f90a04
      python -m analysis trace events/2026/11/25/09/event-….json --start 2026-11-25T09:00Z --json
      python -m analysis trace 7c9e6679-7425-40de-944b-e07fc1f90a04 --stage prod
    """
    # Imported here, because Polars takes longer to import than --help takes to run.
    from analysis.checks.trace import follow
    from analysis.place import source_of, warehouse_of

    bucket = source_of(source)
    found = follow(bucket, warehouse_of(dw, bucket), event_id, *span(start, end, DAYS, zone))
    note_sample(bucket)
    if as_json:
        click.echo(json_text(asdict(found) | {"whole": found.is_whole}))
    else:
        _show(found)
    raise SystemExit(0 if found.is_whole else 1)


def _show(found: "EventTrace") -> None:
    from rich.console import Console

    from command_line.console import text_line, text_table

    console = Console()
    for each in found.deliveries:
        # Not a table: a key that is folded into a column cannot be copied.
        request = "" if each["request_id"] is None else f" in request {each['request_id']}"
        console.print(text_line(f"object {each['key']}"), soft_wrap=True)
        received = f"  received {plain(each['received_at'])}{request}"
        if found.row is not None:
            received += f"; the row {'comes' if each['is_row'] else 'does not come'} from this object"
        console.print(text_line(received), soft_wrap=True)
    for reject in found.rejects:
        console.print(text_line(f"reject {reject['key']}: {reject['reason']}"), soft_wrap=True)
    if found.row is not None:
        console.print(text_table(["column", "row"], ((name, _cell(value)) for name, value in found.row.items())))
    elif found.is_before_horizon:
        said = f"The warehouse has no row of this event: it keeps rows since {found.horizon:%Y-%m-%d} (UTC)."
        console.print(said, soft_wrap=True)
    elif found.has_warehouse:
        console.print("The warehouse has no row of this event.")
    else:
        console.print("No warehouse was searched: name one with --dw.")
    if found.rejects and not found.deliveries:
        advice = "Raw has only rejects with this id: print one with 'python -m analysis rejects show KEY'."
        console.print(advice, soft_wrap=True)
    elif not found.deliveries:
        console.print("Raw has no such event in these hours: search others with --start and --end.", soft_wrap=True)


def _cell(value: object) -> str:
    return "NULL" if value is None else plain(value)
