"""Shows the result of a soak as one JSON object or as tables."""

from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from typing import Any

from rich.console import Console

from command_line.console import text_line, text_table
from emulator.soak.run import Soak
from emulator.soak.waits import Wait

__all__ = ["as_json", "show"]

MOST_NAMED = 5


def as_json(result: Soak) -> dict[str, Any]:
    """Return the whole result for programs."""
    return asdict(result) | {
        "faults": result.faults,
        "median_recovery": result.median_recovery,
        "longest_recovery": result.longest_recovery,
        "longest_wait": result.longest_wait,
        "longest_healthy_wait": result.longest_healthy_wait,
        "passed": result.is_passed,
    }


def show(result: Soak, console: Console) -> None:
    """Print the figures, the faults, then the problems."""
    console.print(text_table(["soak", ""], _figures(result)))
    faults = ((kind, f"{len(found)}", f"{median(found):.1f}", f"{max(found):.1f}") for kind, found in _kinds(result))
    console.print(text_table(["fault", "times", "median recovery in s", "longest in s"], faults))
    waits = ((kind, f"{wait.events:,}", f"{wait.median:.1f}", f"{wait.longest:.1f}") for kind, wait in _waits(result))
    console.print(text_table(["acknowledged under", "events", "median wait for the row in s", "longest in s"], waits))
    for line in _wrong(result):
        console.print(text_line(line, "bold red"), soft_wrap=True)
    console.print(text_line("passed: no event was lost" if result.is_passed else "failed", "bold"))


def _kinds(result: Soak) -> list[tuple[str, list[float]]]:
    return sorted(result.recoveries.items())


def _waits(result: Soak) -> list[tuple[str, Wait]]:
    return sorted(result.waits.items())


def _figures(result: Soak) -> Iterator[tuple[str, str]]:
    found, rebuilt = result.account, result.rebuilt
    yield "events sent", f"{result.sent:,}"
    yield "acknowledged", f"{result.acknowledged:,}"
    yield "faults injected", f"{result.faults:,}"
    yield "starts of the whole stack", f"{result.starts:,}"
    yield "objects in raw", f"{found.objects:,}"
    yield "  of repeated events", f"{found.repeated_objects:,}"
    yield "rows in the warehouse", f"{found.rows:,}"
    yield "lost: acknowledged, but not in raw", f"{len(found.not_in_raw):,}"
    yield "lost: in raw, but not in the warehouse", f"{len(found.not_in_warehouse):,}"
    yield "altered in raw", f"{len(found.altered):,}"
    yield "twice in the warehouse", f"{len(found.twice_in_warehouse):,}"
    yield "rows without an object", f"{len(found.from_nowhere):,}"
    yield "events erased", f"{found.erased:,}"
    yield "  that came back", f"{len(found.came_back):,}"
    yield "failed checks of validate", f"{len(found.findings):,}"
    yield "  true of clocks that jumped, so expected", ", ".join(found.expected_findings) or "none"
    yield "rows after the rebuild", f"{rebuilt.rows:,}"
    yield "  different from before", f"{len(rebuilt.other_ids) + len(rebuilt.other_rows):,}"
    yield "median recovery", f"{result.median_recovery:.1f} s"
    yield "longest recovery", f"{result.longest_recovery:.1f} s"
    yield "longest wait for a row, with a healthy warehouse", f"{result.longest_healthy_wait:.1f} s"
    yield "longest wait for a row", f"{result.longest_wait:.1f} s"
    yield "time under load", f"{result.seconds:,.0f} s"
    yield "time until no event waited", f"{result.calm_seconds:,.1f} s"
    yield "seed", str(result.seed)


def _wrong(result: Soak) -> Iterator[str]:
    named = {**asdict(result.account), **asdict(result.rebuilt)}
    for name, found in named.items():
        if isinstance(found, list) and found and name != "expected_findings":
            yield f"{name.replace('_', ' ')}: {', '.join(found[:MOST_NAMED])}"
    for name in ("refused", "lost_in_browsers"):
        if getattr(result, name):
            yield f"{name.replace('_', ' ')}: {getattr(result, name):,}"
    yield from result.problems
    if result.interrupted:
        yield "interrupted: not all events were sent"
