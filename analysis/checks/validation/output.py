"""Shows a validation: as one JSON object, or as text."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from analysis.checks.validation.finding import Check, counted
from analysis.checks.validation.report import ValidationReport
from analysis.engines.completeness import Completeness
from analysis.metrics.zone import local_text
from command_line.console import text_line, text_table
from command_line.json_text import json_text, plain

__all__ = ["as_json", "show", "summary"]

MOST_SHOWN = 10
HOUR = timedelta(hours=1)
STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def as_json(report: ValidationReport, zone: str) -> str:
    """Give one JSON object with every check and every finding, and the zone in which the span was written."""
    return json_text(
        {
            "source": report.source,
            "sample": None if report.sample is None else asdict(report.sample),
            "warehouse": report.has_warehouse,
            "start": report.start,
            "end": report.end,
            "judged_until": report.judged_until,
            "lookback_hours": report.lookback / HOUR,
            "horizon": report.horizon,
            "lake_hours": report.lake_hours,
            "completeness": None if report.completeness is None else asdict(report.completeness),
            "zone": zone,
            "passed": report.is_passed,
            "hours": report.hours.to_dicts(),
            "checks": [_check(check) for check in report.checks],
        }
    )


def show(report: ValidationReport, zone: str) -> None:
    """Print the span, each check with findings, the hours, and a summary. Text of events is not read as markup."""
    console = Console()
    start, end = (local_text(time, zone) for time in (report.start, report.end))
    back = f"lookback {report.lookback / HOUR:g} h for duplicates"
    console.print(text_line(f"{report.source}, events received from {start} to {end} ({zone}); {back}"), soft_wrap=True)
    if report.sample is not None:
        console.print(text_line(f"{report.source} includes {report.sample}.", STYLES["warning"]), soft_wrap=True)
    for check in (check for check in report.checks if check.findings):
        console.print(text_line(f"{check.severity}: {check.observed}", STYLES[check.severity]))
        console.print(text_line(f"  check {check.name}, expected: {check.expected}"), soft_wrap=True)
        console.print(text_line(f"  {check.advice}"), soft_wrap=True)
        for finding in check.findings[:MOST_SHOWN]:
            # Soft wrapped, so that keys and ids can be copied.
            console.print(text_line(f"    {_finding(finding)}"), soft_wrap=True)
        if len(check.findings) > MOST_SHOWN:
            console.print(text_line(f"    … and {len(check.findings) - MOST_SHOWN:,} more: --json prints all"))
    console.print(_hours(report))
    if report.horizon is not None and report.horizon > report.start:
        said = (
            f"The warehouse keeps rows since {report.horizon:%Y-%m-%d} (UTC): older events were not compared with it."
        )
        console.print(text_line(said), soft_wrap=True)
    if report.not_yet_judged:
        console.print(text_line(_young(report, zone)), soft_wrap=True)
    if report.lake_hours:
        console.print(text_line(f"The lake gave {counted(report.lake_hours, 'hour', 'hours')}."))
    if report.completeness is not None:
        console.print(text_line(_completeness(report.completeness, zone)), soft_wrap=True)
    console.print(text_line(summary(report)))


def summary(report: ValidationReport) -> str:
    """Say how many checks have findings, and whether raw was compared with a warehouse."""
    found, checks = sum(bool(check.findings) for check in report.checks), len(report.checks)
    said = counted(found, f"of {checks} checks has findings.", f"of {checks} checks have findings.")
    said = said if found else f"All {checks} checks passed."
    if report.has_warehouse:
        return f"{said} Raw was compared with the warehouse."
    return f"{said} Raw was not compared with a warehouse: name one with --dw, or start the local stack."


def _young(report: ValidationReport, zone: str) -> str:
    number = counted(report.not_yet_judged, "object is", "objects are")
    since = local_text(report.judged_until, zone)
    return f"{number} not yet judged: received or stored since {since} ({zone}), within --settle."


def _completeness(found: Completeness, zone: str) -> str:
    compared = counted(found.hours, "hour", "hours")
    said = "all are complete" if found.complete == found.hours else f"{found.complete:,} are complete"
    return f"The reconciler compared {compared}, last at {local_text(found.checked_at, zone)} ({zone}): {said}."


def _finding(finding: dict[str, object]) -> str:
    return ", ".join(f"{name} {plain(value)}" for name, value in finding.items() if value is not None)


def _hours(report: ValidationReport) -> Table:
    rows = (("no hour" if hour is None else f"{hour:%Y-%m-%d %H:00}", *counts) for hour, *counts in report.hours.rows())
    titles = ["hour (UTC)", *report.hours.columns[1:]]  # as in the keys
    return text_table(titles, ((hour, *(f"{count:,}" for count in counts)) for hour, *counts in rows))


def _check(check: Check) -> dict[str, Any]:
    fields = ("name", "severity", "observed", "expected", "advice", "findings")
    return {"passed": check.is_passed, **{name: getattr(check, name) for name in fields}}
