"""Shows results as one table per comparison, or as JSON."""

import json
from collections.abc import Iterable

from rich import box
from rich.table import Table

from benchmarks.comparison import Comparison

__all__ = ["as_json", "as_table"]


def as_table(comparison: Comparison) -> Table:
    """Make the table of one comparison: both sides with their medians, the ratio, the target, and whether it is met."""
    low, high = comparison.middle_half
    table = Table(
        title=comparison.title,
        title_justify="left",
        caption=f"{len(comparison.rounds)} rounds; half of the ratios are from {low:.2f} to {high:.2f}",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for heading in ("what", "median", "alternative", "median", "ratio", "target", "met"):
        is_text = heading in {"what", "alternative"}
        # In a narrow terminal, text is folded but figures are not.
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    table.add_row(
        comparison.ours,
        _duration(comparison.ours_seconds),
        comparison.alternative,
        _duration(comparison.alternative_seconds),
        f"{comparison.ratio:.2f}x",
        f"<= {comparison.target:g}x",
        "yes" if comparison.is_met else "no",
    )
    return table


def as_json(comparisons: Iterable[Comparison]) -> str:
    """Return all comparisons as one JSON array; times are in seconds."""
    return json.dumps([_record(comparison) for comparison in comparisons], indent=2)


def _record(comparison: Comparison) -> dict[str, object]:
    return {
        "name": comparison.name,
        "title": comparison.title,
        "what": comparison.ours,
        "seconds": comparison.ours_seconds,
        "alternative": comparison.alternative,
        "alternative_seconds": comparison.alternative_seconds,
        "ratio": comparison.ratio,
        "ratio_middle_half": comparison.middle_half,
        "target": comparison.target,
        "met": comparison.is_met,
        "rounds": len(comparison.rounds),
    }


def _duration(seconds: float) -> str:
    """Format a duration in microseconds if it is below one millisecond, else in milliseconds."""
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"
