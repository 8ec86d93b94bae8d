"""Shows results as one table per benchmark, or as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from rich import box
from rich.table import Table

from benchmarks.comparison import Comparison
from benchmarks.figures import PER_SECOND, Case, Figures
from benchmarks.targets import Line, Targets

__all__ = ["as_json", "as_table"]


def as_table(result: Comparison | Figures | Targets) -> Table:
    """Make the table of one benchmark: what was measured, the targets, and whether they are met."""
    if isinstance(result, Targets):
        return _targets_table(result)
    return _figures_table(result) if isinstance(result, Figures) else _comparison_table(result)


def _figures_table(figures: Figures) -> Table:
    """Make a table with one line per case."""
    table = Table(title=figures.title, title_justify="left", box=box.SIMPLE_HEAD)
    names = list(figures.cases[0].figures)
    for heading in ("what", *names, "target", "met"):
        table.add_column(heading, justify="left" if heading == "what" else "right", no_wrap=heading != "what")
    for case in figures.cases:
        met = ("yes" if case.is_met else "no") if case.targets else ""
        table.add_row(case.what, *(_figure(name, case.figures[name]) for name in names), _targets(case), met)
    return table


def _figure(name: str, value: float) -> str:
    return f"{value:,.0f}" if name == PER_SECOND else f"{value:.2f} s"


def _targets(case: Case) -> str:
    signs = {name: ">=" if name == PER_SECOND else "<=" for name in case.targets}
    return "\n".join(f"{name} {signs[name]} {_figure(name, limit)}" for name, limit in case.targets.items())


def _targets_table(targets: Targets) -> Table:
    """Make a table with one line per value."""
    table = Table(title=targets.title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("what", "value", "target", "met", "beside"):
        is_text = heading in {"what", "beside"}
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=not is_text)
    for line in targets.lines:
        table.add_row(line.what, _value(line, line.value), *_target(line), line.beside)
    return table


def _target(line: Line) -> tuple[str, str]:
    if not line.has_target:
        return "", ""
    most = "" if line.most is None else f"<= {line.most:g} {line.unit}"
    least = "" if line.least is None else f">= {line.least:g} {line.unit}"
    return most or least, "yes" if line.is_met else "no"


def _value(line: Line, value: float) -> str:
    return f"{value:,.0f} {line.unit}" if value >= 1000 or value == int(value) else f"{value:.3g} {line.unit}"


def _comparison_table(comparison: Comparison) -> Table:
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


def as_json(results: Iterable[Comparison | Figures | Targets]) -> str:
    """Return all results as one JSON array; times are in seconds."""
    return json.dumps([_any_record(each) for each in results], indent=2)


def _any_record(result: Comparison | Figures | Targets) -> dict[str, object]:
    if isinstance(result, Targets):
        return _targets_record(result)
    return _figures_record(result) if isinstance(result, Figures) else _record(result)


def _targets_record(targets: Targets) -> dict[str, object]:
    lines = [{**asdict(line), "met": line.is_met if line.has_target else None} for line in targets.lines]
    return {"name": targets.name, "title": targets.title, "lines": lines, "met": targets.is_met}


def _figures_record(figures: Figures) -> dict[str, object]:
    cases = [
        {"what": case.what, "figures": {**case.figures}, "targets": {**case.targets}, "met": case.is_met}
        for case in figures.cases
    ]
    return {"name": figures.name, "title": figures.title, "cases": cases, "met": figures.is_met}


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
