"""Shows a validation: as one JSON object, or as tables."""

from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from analysis.checks.validation.finding import Check
from analysis.checks.validation.run import ValidationReport
from command_line.console import text_line, text_table
from command_line.json_text import json_text, plain

__all__ = ["as_frame", "as_json", "show"]

MOST_SHOWN = 10
STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def as_frame(report: ValidationReport) -> pl.DataFrame:
    """Give one row per check: `check`, `severity`, `findings` (how many), `observed`, `expected`, `advice`."""
    fields = ("name", "severity", "observed", "expected", "advice")
    schema = ["check", "severity", "observed", "expected", "advice", "findings"]
    rows = [(*(getattr(check, name) for name in fields), len(check.findings)) for check in report.checks]
    frame = pl.DataFrame(rows, dict.fromkeys(schema[:-1], pl.String) | {"findings": pl.Int64}, orient="row")
    return frame.select("check", "severity", "findings", "observed", "expected", "advice")


def as_json(report: ValidationReport) -> str:
    """Every check with every finding."""
    return json_text(
        {
            "source": report.source,
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
