"""Writes the report to a file, and summarizes it in one line."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from rich.console import Console
from rich.progress import track

from analysis.checks.validation.report import ValidationReport
from analysis.dashboard.bundle import bundle
from analysis.dashboard.periods import Comparison
from analysis.dashboard.view import View
from analysis.errors import AnalysisError
from analysis.history import HOUR, History
from analysis.metrics.overview import overview
from analysis.report.answers import REPORTED, Questions, SharedValues
from analysis.report.page import page
from analysis.report.place import HistoryPlace
from analysis.rows.selection import OnError
from command_line.json_text import json_text
from command_line.printable import printable

__all__ = ["overview_as_json", "overview_as_text", "require_directory", "write_report"]

AT_ONCE = 2  # pages; more would keep more of their lists in memory


def require_directory(path: Path) -> None:
    """Raise AnalysisError if no file can be at a path, before the work and not after it."""
    if not path.absolute().parent.is_dir():
        raise AnalysisError(f"there is no directory {path.parent}: make it, or name another file with --out")


def write_report(
    history: History,
    validation: ValidationReport,
    path: Path,
    comparison: Comparison = "previous",
    on_error: OnError = "raise",
) -> None:
    """Compute the figures of a history, and write the report.

    Args:
        history: The events that the report is about, with the derived columns.
        validation: The validation of the same range.
        path: The file; an earlier report in it stays until this one is whole.
        comparison: What the figures are compared with. That range is read, too.
        on_error: As in `read_events`, for that range.

    Raises:
        AnalysisError: A figure cannot be computed, or the file cannot be written.
    """
    Thread(target=bundle, daemon=True).start()  # making it takes a second
    within, now, kept = history.within, datetime.now(UTC), SharedValues()
    view = View(
        preset=None,
        start=within.start,
        end=within.end,
        zone=within.zone,
        comparison=comparison,
        clock=history.reading.clock,
        bots=history.bots,
        login_state=within.login_state,
    )
    questions = Questions(HistoryPlace(history, validation, on_error), view, within, now)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda reported: questions.answers(reported, kept), REPORTED.values())
        told = track(answers, "computing pages", len(REPORTED), console=Console(stderr=True), transient=True)
        pages = dict(zip(REPORTED, told, strict=True))
    text = page({"pages": pages, "kept": kept.values, "facts": _facts(history, now)})
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")  # a path may be other bytes
        partial.replace(path)
    except OSError as error:
        raise AnalysisError(f"cannot write {path}: {error.strerror}; name another file with --out") from error


def _facts(history: History, now: datetime) -> dict[str, object]:
    """Say how the events of a report were read."""
    read = history.reading
    return {
        "madeAt": round(now.timestamp() * 1000),
        "lookback": read.lookback / HOUR,
        "lookahead": read.lookahead / HOUR,
        "unreadable": read.unreadable.height,
    }


def overview_as_json(history: History) -> str:
    """Give the overview as one JSON object, with how events count, the sample, and what it lacks."""
    sample = None if history.sample is None else asdict(history.sample)
    figures = overview(history.raw, history.within).row(0, named=True)
    beside = {
        "zone": history.within.zone,
        "clock": history.reading.clock,
        "lookback_hours": history.reading.lookback / HOUR,
        "login_state": history.within.login_state,
        "bots": history.bots,
        "sample": sample,
        "unreadable": history.reading.unreadable.to_dicts(),
    }
    return json_text({**figures, **beside})


def overview_as_text(history: History, path: Path) -> str:
    """Say in one line how much happened and where the report is; in further lines, what is made up or missing."""
    figures = overview(history.raw, history.within).row(0, named=True)
    counts = (f"{figures[name]:,} {name}" for name in ("events", "visitors", "sessions"))
    bots = "" if history.bots else ", without bots"
    lines = [f"{', '.join(counts)}, {history.reading.clock} from {history.within}{bots}: {printable(str(path))}"]
    if history.sample is not None:
        lines.append(f"The report includes {history.sample}.")
    if unreadable := history.reading.unreadable.height:
        lines.append(f"{unreadable:,} objects could not be read, so every figure lacks them: 'validate' names them.")
    return "\n".join(lines)
