"""`python -m analysis compact`."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from analysis.commands.notes import note_sample
from analysis.commands.options import Time, lake_option, source_option, zone_option
from chalicelib import log
from command_line.json_text import json_text
from command_line.printable import printable

if TYPE_CHECKING:
    from analysis.lake.compaction import Compacted

__all__ = ["compact_command"]

MOST_SHOWN = 10
HOUR = timedelta(hours=1)


@click.command("compact")
@source_option
@lake_option
@click.option("--start", type=Time(), help="Compact the hours from here on, changed or not; as 2026-11-24T09:00.")
@click.option("--end", type=Time(), help="Moment after the last.  [default: now, if --start is given]")
@zone_option("Time zone of --start and --end without an offset.")
@click.option("--recent", is_flag=True, help="Look for late objects only in hours that ended in the last 48 hours.")
@click.option("--verify", is_flag=True, help="First read every file of the lake, and compare it with the records.")
@click.option("--log", "as_log", is_flag=True, help="Print one log line as the Lambdas do, and nothing else.")
@click.option("--open", "also_open", is_flag=True, help="Compact the current hour, too; for a directory only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def compact_command(
    source: str | None,
    lake: str | None,
    start: datetime | None,
    end: datetime | None,
    zone: str,  # noqa: ARG001  # times are read with it
    *,
    recent: bool,
    verify: bool,
    as_log: bool,
    also_open: bool,
    as_json: bool,
) -> None:
    """Write the closed hours of raw into the lake, as an Iceberg table.

    Many engines read the lake, and queries over it are far quicker than over raw. By default, the command
    takes every hour that is closed and was not compacted, or has other objects now. An hour is closed
    LAKE_CLOSE_MINUTES (10) after its end. Run it every hour. With --start or --end it takes the hours that cover this
    span, changed or not; rows whose objects are gone from raw go, too.

    Each event is one row, as its first object was received. Erased people have none. Each hour is in the lake as a
    whole or not at all, so the command may be stopped at any moment, and run again. A closed day becomes one sorted
    file. The command also expires old snapshots, merges manifests, and removes files that nothing needs.

    A damaged file is named, and its day is compacted again from raw. Exit code 1 if a file was damaged, or if an object
    may not be read: then its hour waits.

    \b
    Examples:
      python -m analysis compact
      python -m analysis compact --recent --json
      python -m analysis compact --verify
      python -m analysis compact --open
      python -m analysis compact --start 2026-11-24 --end 2026-11-25
      python -m analysis compact --source s3://my-bucket --lake glue
    """
    # Imported here, since Polars takes longer to import than --help takes to run.
    from analysis.lake.compaction import compact
    from analysis.lake.compaction.planning import span_of
    from analysis.lake.location import location_of
    from analysis.place import require_events, source_of

    if as_log and as_json:
        raise click.UsageError("--log and --json are two forms of the same answer: leave one out")
    if recent and (start or end):
        raise click.UsageError("--recent is about hours that have changed: leave out --start and --end")
    bucket = source_of(source)
    require_events(bucket)
    place = location_of(lake)
    done = compact(bucket, place, span_of(start, end), recent=recent, verify=verify, also_open=also_open)
    note_sample(bucket)
    if as_log:
        _log(done)
    else:
        click.echo(json_text(asdict(done))) if as_json else _show(done, str(place))
    raise SystemExit(1 if done.unreadable or done.damaged else 0)


def _log(done: "Compacted") -> None:
    """Log one line of numbers. The alarm on hours that wait reads `hours_left` and `oldest_left_seconds` in it."""
    names = ("hours", "days", "objects", "rows", "repeats", "rejects", "erased")
    counts = {name: getattr(done, name) for name in names}
    age = (datetime.now(UTC) - done.oldest_left - HOUR).total_seconds() if done.oldest_left else 0.0
    left = {"hours_left": done.left, "oldest_left_seconds": round(age, 1)}
    found = {"damaged": len(done.damaged), "unreadable": len(done.unreadable), "gone": len(done.gone)}
    level = "ERROR" if done.left or done.unreadable else "INFO"
    log.write("compaction", "compacted", level=level, **counts, **left, **found)


def _show(done: "Compacted", place: str) -> None:
    from rich.console import Console

    from command_line.console import text_table

    counts = {
        "hours": done.hours,
        "objects": done.objects,
        "rows": done.rows,
        "repeats": done.repeats,
        "rejects": done.rejects,
        "erased": done.erased,
        "days merged into one file": done.days,
        "hours that are not closed yet": done.waiting,
        "closed hours that are not in the lake": done.left,
        "files removed": done.swept.files,
    }
    Console().print(text_table(["compacted", ""], ((name, f"{count:,}") for name, count in counts.items())))
    click.echo(printable(f"The lake is {place}."))
    for path in done.damaged:
        click.echo(printable(f"damaged, and its day compacted again: {path}"))
    for key, reason in done.unreadable[:MOST_SHOWN]:
        click.echo(printable(f"not read, so its hour waits: {key}: {reason}"))
    if done.gone:
        click.echo(
            f"{len(done.gone):,} hours, {done.gone[0]:%Y-%m-%dT%HZ} and later, have fewer objects in raw than were "
            "compacted. Their rows stay; --start and --end let them go."
        )
