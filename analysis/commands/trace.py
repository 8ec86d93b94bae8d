"""`python -m analysis trace`."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from analysis.commands.options import DAYS, source_option, span_options, warehouse_option
from analysis.metrics.range import span
from command_line.json_text import json_text, plain

if TYPE_CHECKING:
    from analysis.checks.trace import EventTrace

__all__ = ["trace_command"]


@click.command("trace")
@click.argument("event_id")
@source_option
@warehouse_option
@span_options(DAYS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def trace_command(
    event_id: str, source: str | None, dw: str | None, start: datetime | None, end: datetime | None, *, as_json: bool
) -> None:
    """Follow one event through raw objects and rejects to its row, however often it was delivered.

    EVENT_ID is the event's, as it was sent or as the warehouse has it, or an object's key. Exit code 1 if it is not in
    raw in the hours that are searched, or has no row.

    \b
    Examples:
      python -m analysis trace 7c9e6679-7425-40de-944b-e07fc1f90a04
      python -m analysis trace events/2026/11/25/09/event-….json --start 2026-11-25T09:00Z --json
    """
    # Imported here, since Polars takes longer to import than --help takes to run.
    from analysis.checks.trace import follow
    from analysis.place import source_of, warehouse_of

    bucket = source_of(source)
    found = follow(bucket, warehouse_of(dw, bucket), event_id, *span(start, end, DAYS))
    if as_json:
        click.echo(json_text(asdict(found) | {"whole": found.is_whole}))
    else:
        _show(found)
    raise SystemExit(0 if found.is_whole else 1)


def _show(found: "EventTrace") -> None:
    from rich.console import Console

    from command_line.console import text_line, text_table

    console = Console()
    is_row = {None: "", True: "; the row is of this one", False: "; the row is not of this one"}
    for each in found.deliveries:
        # No table: a key that is folded into a column cannot be copied.
        request = "" if each["request_id"] is None else f" by request {each['request_id']}"
        console.print(text_line(f"object {each['key']}"), soft_wrap=True)
        received = f"  received {plain(each['received_at'])}{request}{is_row[each['is_row']]}"
        console.print(text_line(received), soft_wrap=True)
    for reject in found.rejects:
        console.print(text_line(f"rejected: {reject['key']}: {reject['reason']}"), soft_wrap=True)
    if found.row is not None:
        console.print(text_table(["column", "row"], ((name, plain(value)) for name, value in found.row.items())))
    missing = "The warehouse has no row of it." if found.has_warehouse else "No warehouse was asked: name it with --dw."
    if found.row is None:
        console.print(missing)
    if not found.deliveries:
        console.print("It is not in raw in these hours: name others with --start and --end.")
