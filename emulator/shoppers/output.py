"""Shows the shoppers' progress while they click, and their report as one JSON object or as tables."""

from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import asdict
from typing import Any

from rich.console import Console

from command_line.console import text_line, text_table
from command_line.progress import new_progress
from emulator.shoppers.report import Counts, ShoppersReport
from emulator.shoppers.run import Progress, Shoppers

__all__ = ["as_json", "show", "watch"]

REFRESH_SECONDS = 0.25


def watch(shoppers: Shoppers, run: "Future[ShoppersReport]", console: Console) -> None:
    """Show a progress bar on the console until the run is over."""
    with new_progress(console) as bar:
        task = bar.add_task("", total=shoppers.sessions)
        while True:
            is_over = bool(wait([run], REFRESH_SECONDS).done)
            progress = shoppers.progress
            bar.update(task, completed=progress.finished, description=_description(progress))
            if is_over:
                return


def as_json(report: ShoppersReport) -> dict[str, Any]:
    """Return the report for programs; event names without an event are left out."""
    return {
        "endpoint": report.endpoint,
        "seed": report.seed,
        "sessions": report.sessions,
        "begun": report.begun,
        "finished": report.finished,
        **{count: report.total(count) for count in Counts.__dataclass_fields__},
        "refused_why": dict(report.reasons),
        "by_event_name": {name: asdict(counts) for name, counts in report.by_name.items() if counts.sent},
        "clicking_seconds": report.clicking_seconds,
        "events_per_second": report.events_per_second,
        "problem": report.problem,
        "interrupted": report.interrupted,
        "exit_code": report.exit_code,
    }


def show(report: ShoppersReport, console: Console) -> None:
    """Print the report as two tables, then the problems; text of a server is never markup."""
    console.print(text_table(["shoppers", ""], _totals(report)))
    rows = ((name, counts) for name, counts in report.by_name.items() if counts.sent)
    names = ((name, *(f"{count:,}" for count in asdict(counts).values())) for name, counts in rows)
    console.print(text_table(["event name", *Counts.__dataclass_fields__], names))
    for finding in _findings(report):
        console.print(text_line(finding, "bold red"), soft_wrap=True)


def _description(progress: Progress) -> str:
    return (
        f"{progress.begun - progress.finished} shoppers on the site, "
        f"{progress.accepted:,} events accepted, {progress.waiting:,} waiting"
    )


def _totals(report: ShoppersReport) -> Iterator[tuple[str, str]]:
    yield "sessions", f"{report.finished:,} of {report.sessions:,}"
    for count in Counts.__dataclass_fields__:
        yield f"events {count}", f"{report.total(count):,}"
        if count == "refused":
            yield from ((f"  {reason}", f"{times:,}") for reason, times in report.reasons.items())
    yield "events/s", f"{report.events_per_second:,.1f}"
    yield "seed", str(report.seed)


def _findings(report: ShoppersReport) -> Iterator[str]:
    if report.interrupted:
        yield "interrupted: the shoppers left before their visits ended"
    if report.total("lost"):
        yield f"lost: {report.total('lost'):,} events were not accepted ({report.problem or 'no response yet'})"
