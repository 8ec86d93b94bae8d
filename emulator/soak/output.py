"""Shows a soak: as one JSON object, or as tables."""

from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from typing import Any

from rich.console import Console

from command_line.console import text_line, text_table
from emulator.soak.run import Soak

__all__ = ["as_json", "show"]

MOST_NAMED = 5


def as_json(result: Soak) -> dict[str, Any]:
    """All of it."""
    figures = {"faults": result.faults, "median_recovery": result.median_recovery}
    return asdict(result) | figures | {"longest_recovery": result.longest_recovery, "passed": result.is_passed}


def show(result: Soak, console: Console) -> None:
    """Print the figures, the faults, then what is wrong."""
    console.print(text_table(["soak", ""], _figures(result)))
    faults = ((kind, f"{len(found)}", f"{median(found):.1f}", f"{max(found):.1f}") for kind, found in _kinds(result))
    console.print(text_table(["fault", "times", "recovered in s, median", "longest"], faults))
    for line in _wrong(result):
        console.print(text_line(line, "bold red"), soft_wrap=True)
    console.print(text_line("passed: nothing was lost" if result.is_passed else "not passed", "bold"))


def _kinds(result: Soak) -> list[tuple[str, list[float]]]:
    return sorted(result.recoveries.items())


def _figures(result: Soak) -> Iterator[tuple[str, str]]:
    found, rebuilt = result.account, result.rebuilt
    yield "events sent", f"{result.sent:,}"
    yield "acknowledged", f"{result.acknowledged:,}"
    yield "faults injected", f"{result.faults:,}"
    yield "starts of the whole stack", f"{result.starts:,}"
    yield "objects in raw", f"{found.objects:,}"
    yield "  of events sent again", f"{found.repeated_objects:,}"
    yield "rows in the warehouse", f"{found.rows:,}"
    yield "lost: acknowledged, not in raw", f"{len(found.not_in_raw):,}"
    yield "lost: in raw, not in the warehouse", f"{len(found.not_in_warehouse):,}"
    yield "altered in raw", f"{len(found.altered):,}"
    yield "twice in the warehouse", f"{len(found.twice_in_warehouse):,}"
    yield "rows without an object", f"{len(found.from_nowhere):,}"
    yield "checks of validate that failed", f"{len(found.findings):,}"
    yield "rows after the rebuild", f"{rebuilt.rows:,}"
    yield "  that are others than before", f"{len(rebuilt.other_ids) + len(rebuilt.other_rows):,}"
    yield "recovery, median and longest", f"{result.median_recovery:.1f} s, {result.longest_recovery:.1f} s"
    yield "under load, then until calm", f"{result.seconds:,.0f} s, {result.calm_seconds:,.1f} s"
    yield "seed", str(result.seed)


def _wrong(result: Soak) -> Iterator[str]:
    named = {**asdict(result.account), **asdict(result.rebuilt)}
    for name, found in named.items():
        if isinstance(found, list) and found:
            yield f"{name.replace('_', ' ')}: {', '.join(found[:MOST_NAMED])}"
    for name in ("refused", "lost_in_browsers"):
        if getattr(result, name):
            yield f"{name.replace('_', ' ')}: {getattr(result, name):,}"
    if result.interrupted:
        yield "interrupted before all events were sent"
