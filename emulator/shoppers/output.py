"""Shows what the shoppers did: as one JSON object, or as tables."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console

from command_line.console import text_line, text_table
from emulator.shoppers.report import Counts, ShoppersReport

__all__ = ["as_json", "show"]


def as_json(report: ShoppersReport) -> dict[str, Any]:
    """The report for machines; event names that did not happen are left out."""
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
    """Print the report as two tables, then what went wrong; no text of a server is taken for markup."""
    console.print(text_table(["shoppers", ""], _totals(report)))
    rows = ((name, counts) for name, counts in report.by_name.items() if counts.sent)
    names = ((name, *(f"{count:,}" for count in asdict(counts).values())) for name, counts in rows)
    console.print(text_table(["event name", *Counts.__dataclass_fields__], names))
    for finding in _findings(report):
        console.print(text_line(finding, "bold red"), soft_wrap=True)


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
        yield "interrupted: the shoppers left before their visits were over"
    if report.total("lost"):
        yield f"lost: {report.total('lost'):,} events did not arrive ({report.problem or 'no answer yet'})"
