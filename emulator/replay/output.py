"""Shows the report of a replay: as one JSON object, or as tables."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from rich.console import Console

from command_line.console import text_line, text_table
from emulator.replay.report import Counts, ReplayReport

__all__ = ["as_json", "show"]

FEW = 5  # how many missing rows and objects are named


def as_json(report: ReplayReport) -> dict[str, Any]:
    """The report for machines; `null` is what was not checked or not measured."""
    return {
        "endpoint": report.endpoint,
        "lines": report.lines,
        "malformed": report.malformed,
        "first_malformed": [{"line": line.line_number, "reason": line.reason} for line in report.first_malformed],
        "posted": report.total("posted"),
        "accepted": report.total("accepted"),
        "refused": report.total("refused"),
        "refused_why": dict(report.reasons),
        "stored": report.stored,
        "missing_objects": report.missing_objects,
        "first_missing_objects": _first_missing_objects(report),
        "new_rows": report.total("new") if report.warehouse_checked else None,
        "already_known": report.total("known") if report.warehouse_checked else None,
        "missing_rows": report.total("missing") if report.warehouse_checked else None,
        "first_missing_rows": [str(event_id) for event_id in islice(report.missing_rows, FEW)],
        "by_event_name": {name: _counts(report, counts) for name, counts in sorted(report.by_name.items())},
        "posting_seconds": report.posting_seconds,
        "events_per_second": report.events_per_second,
        "p50_ms": report.answer_ms(0.50),
        "p95_ms": report.answer_ms(0.95),
        "interrupted": report.interrupted,
        "problems": report.problems,
        "exit_code": report.exit_code,
    }


def show(report: ReplayReport, console: Console) -> None:
    """Print the report as two tables, then what is lost; no text of an event or a server is taken for markup."""
    document = as_json(report)
    console.print(text_table(["replay", ""], _totals(document)))
    if report.by_name:
        names = document["by_event_name"].items()
        rows = ((name, *(_number(count, "-") for count in counts.values())) for name, counts in names)
        console.print(text_table(["event name", *Counts.__dataclass_fields__], rows))
    for finding in _findings(document):
        console.print(text_line(finding, "bold red"), soft_wrap=True)


def _counts(report: ReplayReport, counts: Counts) -> dict[str, int | None]:
    unchecked = {} if report.warehouse_checked else dict.fromkeys(("new", "known", "missing"))
    return asdict(counts) | unchecked


def _first_missing_objects(report: ReplayReport) -> list[str]:
    return [] if report.stored is None else sorted(report.missing_keys)[:FEW]


def _totals(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("lines", "malformed", "posted", "accepted", "refused"):
        yield name, _number(document[name])
    for reason, count in document["refused_why"].items():
        yield f"  {reason}", _number(count)
    for name in ("stored", "missing_objects", "new_rows", "already_known", "missing_rows"):
        yield name.replace("_", " "), _number(document[name])
    yield "events/s", f"{document['events_per_second']:,.1f}"
    for name in ("p50", "p95"):
        milliseconds = document[f"{name}_ms"]
        yield f"answer time {name}", "-" if milliseconds is None else f"{milliseconds:,.1f} ms"


def _findings(document: dict[str, Any]) -> Iterator[str]:
    if document["interrupted"]:
        yield "interrupted: the rest of the file was not posted, and what was posted may still be on its way"
    yield from document["problems"]
    yield from (f"not in the warehouse: event {event_id}" for event_id in document["first_missing_rows"])
    yield from (f"not in storage: {key}" for key in document["first_missing_objects"])


def _number(count: int | None, unchecked: str = "not checked") -> str:
    return unchecked if count is None else f"{count:,}"
