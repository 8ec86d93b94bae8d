"""Shows a validation: as one JSON object, or as tables."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from analysis.checks.validation.finding import Check
from analysis.checks.validation.run import ValidationReport
from command_line.console import text_line, text_table
from command_line.json_text import json_text, plain

__all__ = ["as_json", "show"]

MOST_SHOWN = 10
STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def as_json(report: ValidationReport) -> str:
    """Every check with every finding."""
    return json_text(
        {
            "source": report.source,
            "sample": None if report.sample is None else asdict(report.sample),
            "warehouse": report.has_warehouse,
            "start": report.start,
            "end": report.end,
            "passed": report.is_passed,
            "hours": report.hours.to_dicts(),
            "checks": [_check(check) for check in report.checks],
        }
    )


def show(report: ValidationReport) -> None:
    """Print what was found, the worst first, then the hours; no text of an event is taken for markup."""
    console = Console()
    if report.sample is not None:
        console.print(text_line(f"{report.source} includes {report.sample}.", STYLES["warning"]), soft_wrap=True)
    for check in (check for check in report.checks if check.findings):
        console.print(text_line(f"{check.severity}: {check.observed}", STYLES[check.severity]))
        console.print(text_line(f"  {check.name}, expected: {check.expected}. {check.advice}"))
        for finding in check.findings[:MOST_SHOWN]:
            console.print(
                text_line("    " + ", ".join(f"{name} {plain(value)}" for name, value in finding.items())),
                soft_wrap=True,
            )
        if len(check.findings) > MOST_SHOWN:
            console.print(text_line(f"    … and {len(check.findings) - MOST_SHOWN:,} more: --json has all of them"))
    console.print(_hours(report))
    passed = sum(not check.findings for check in report.checks)
    console.print(text_line(f"{passed} of {len(report.checks)} checks found nothing."))
    if not report.has_warehouse:
        console.print(text_line("The warehouse was not compared: name it with --dw, or start the local stack."))


def _hours(report: ValidationReport) -> Table:
    rows = (("no hour" if hour is None else f"{hour:%Y-%m-%d %H:00}", *counts) for hour, *counts in report.hours.rows())
    return text_table(report.hours.columns, ((hour, *(f"{count:,}" for count in counts)) for hour, *counts in rows))


def _check(check: Check) -> dict[str, Any]:
    fields = ("name", "severity", "observed", "expected", "advice", "findings")
    return {"passed": check.is_passed, **{name: getattr(check, name) for name in fields}}
