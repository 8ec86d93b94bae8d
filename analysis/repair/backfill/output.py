"""Prints the result of a backfill, as one JSON object or as a table."""

from dataclasses import asdict

from rich.console import Console

from analysis.repair.backfill.run import Backfilled
from command_line.console import text_line, text_table
from command_line.json_text import json_text

__all__ = ["as_json", "show"]

MOST_SHOWN = 10


def as_json(done: Backfilled) -> str:
    """Give every count, and every object that may not be read, as one JSON object."""
    unreadable = [{"key": key, "reason": reason} for key, reason in done.unreadable]
    return json_text(asdict(done) | {"unreadable": unreadable})


def show(done: Backfilled, *, dry_run: bool) -> None:
    """Print every count as a table, worded for a backfill or for a dry run, and name what may not be read."""
    counts = {
        "hours": done.hours,
        "objects seen": done.objects,
        "rows missing" if dry_run else "rows added": done.added,
        "already known": done.known,
        "rejected": done.rejected,
    }
    if done.erased:
        counts["of erased people"] = done.erased
    if done.recovered:
        counts["rejects recovered"] = done.recovered
    if done.horizon_hours:
        counts["hours before the horizon"] = done.horizon_hours
    if done.before_horizon:
        counts["objects before the horizon"] = done.before_horizon
    if done.unreadable:
        counts["not readable"] = len(done.unreadable)
    rows = ((name, f"{count:,}") for name, count in counts.items())
    console = Console()
    console.print(text_table(["dry run" if dry_run else "backfill", ""], rows))
    for key, reason in done.unreadable[:MOST_SHOWN]:
        console.print(text_line(f"not readable: {key}: {reason}"), soft_wrap=True)
    if len(done.unreadable) > MOST_SHOWN:
        console.print(f"and {len(done.unreadable) - MOST_SHOWN:,} more: --json names them all")
