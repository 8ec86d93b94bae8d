"""Writes the report to a file, and says in short what is in it."""

from pathlib import Path

from rich.console import Console
from rich.progress import track

from analysis.checks.validation.run import validate
from analysis.errors import AnalysisError
from analysis.history import History
from analysis.metrics.overview import overview
from analysis.report.page import page
from analysis.report.sections import sections
from command_line.json_text import json_text

__all__ = ["overview_as_json", "overview_as_text", "write_report"]


def write_report(history: History, path: Path) -> None:
    """Validate, compute and write everything; a report that was there before stays until this one is whole.

    Raises AnalysisError if raw, the warehouse or the file fails.
    """
    if not path.absolute().parent.is_dir():  # said before the work, not after it
        raise AnalysisError(f"there is no directory {path.parent}: make it, or name another file with --out")
    within = history.within
    validation = validate(history.source, history.dw_url, within.start, within.end)
    console = Console(stderr=True)
    parts = track(sections(history, validation), "computing metrics", total=6, console=console, transient=True)
    text = page(history, parts)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise AnalysisError(f"cannot write {path}: {error.strerror}; name another file with --out") from error


def overview_as_json(history: History) -> str:
    """The overview's columns and values, as one JSON object."""
    return json_text(overview(history.raw, history.within).row(0, named=True))


def overview_as_text(history: History, path: Path) -> str:
    """One line for people."""
    figures = overview(history.raw, history.within).row(0, named=True)
    counts = (f"{figures[name]:,} {name}" for name in ("events", "visitors", "sessions"))
    return f"{', '.join(counts)}: {path}"
