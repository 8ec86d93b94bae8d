"""Shows what a backfill did: as one JSON object, or as a table."""

from dataclasses import asdict

from rich.console import Console

from analysis.repair.backfill.run import Backfilled
from command_line.console import text_table
from command_line.json_text import json_text

__all__ = ["as_json", "show"]


def as_json(done: Backfilled) -> str:
    """Every count."""
    return json_text(asdict(done))


def show(done: Backfilled, *, dry_run: bool) -> None:
    """Print every count, in the words of what was done, or would be."""
    counts = {
        "hours": done.hours,
        "objects seen": done.objects,
        "rows lacking" if dry_run else "rows added": done.added,
        "already known": done.known,
        "rejected": done.rejected,
    }
    if done.erased:
        counts["of erased people"] = done.erased
    if done.recovered:
        counts["rejects recovered"] = done.recovered
    rows = ((name, f"{count:,}") for name, count in counts.items())
    Console().print(text_table(["dry run" if dry_run else "backfill", ""], rows))
