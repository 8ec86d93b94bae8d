"""`python -m analysis trace`."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from analysis.options import DAYS, source_option, span_options, warehouse_option
from analysis.span import span

if TYPE_CHECKING:
    from analysis.trace.follow import Trace

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
    from analysis.place import source_of, warehouse_of
    from analysis.trace.follow import follow

    bucket = source_of(source)
    found = follow(bucket, warehouse_of(dw, bucket), event_id, *span(start, end, DAYS))
    if as_json:
        click.echo(json.dumps(asdict(found) | {"whole": found.is_whole}, default=str, indent=2))
    else:
        _show(found)
    raise SystemExit(0 if found.is_whole else 1)


def _show(found: "Trace") -> None:
    from rich.console import Console
    from rich.text import Text

    from emulator.table import text_table

    console = Console()
    if found.deliveries:
        columns = ["object", "received", "request", "became the row"]
        is_row = {None: "no warehouse was asked", True: "yes", False: "no"}
        rows = (
            (each["key"], str(each["received_at"]), each["request_id"] or "", is_row[each["is_row"]])
            for each in found.deliveries
        )
        console.print(text_table(columns, rows))
    for reject in found.rejects:
        console.print(Text(f"rejected: {reject['key']}: {reject['reason']}"), soft_wrap=True)
    if found.row is not None:
        console.print(text_table(["column", "row"], ((name, str(value)) for name, value in found.row.items())))
    missing = "The warehouse has no row of it." if found.has_warehouse else "No warehouse was asked: name it with --dw."
    if found.row is None:
        console.print(missing)
    if not found.deliveries:
        console.print("It is not in raw in these hours: name others with --start and --end.")
