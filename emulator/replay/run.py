"""One replay from beginning to end: check the ends, post the log, then look for what was posted."""

import threading
from contextlib import closing
from itertools import islice
from pathlib import Path

from rich.console import Console

from command_line.printable import without_credentials
from command_line.progress import new_progress
from emulator.posting.poster import Poster
from emulator.replay.bar import Bar
from emulator.replay.checks import check_objects, wait_for_rows
from emulator.replay.ends import Ends
from emulator.replay.events import read_log
from emulator.replay.lines import Posting
from emulator.replay.report import ReplayReport

__all__ = ["replay"]


def replay(
    file: Path,
    ends: Ends,
    *,
    limit: int | None = None,
    concurrency: int = 8,
    timeout: float = 60.0,
    console: Console | None = None,
    stop: threading.Event | None = None,
) -> ReplayReport:
    """Post the events of a REES46 log, wait until the warehouse has them, and look for their objects in storage.

    At most `limit` lines are read and `concurrency` events are in flight; the wait ends after `timeout` seconds without
    a new row. Progress and malformed lines go to `console` (stderr by default). Setting `stop` ends the run early, with
    what was done until then in the report. Raises CommandError if the file has another format, or if an end does not
    answer at the start.
    """
    stop = stop or threading.Event()
    report = ReplayReport(without_credentials(ends.endpoint), warehouse_checked=ends.warehouse is not None)
    with file.open("rb") as source, closing(Poster(ends.endpoint, concurrency, stop)) as poster:
        lines = islice(read_log(source), limit)
        _check_ends(ends, poster)
        with new_progress(console or Console(stderr=True)) as progress:
            bar = Bar(progress, file, limit)
            Posting(report, poster, ends.warehouse, bar, stop).post_all(lines, concurrency)
            _check_arrival(report, ends, timeout, stop, bar)
    report.interrupted = stop.is_set()
    return report


def _check_ends(ends: Ends, poster: Poster) -> None:
    """Raise CommandError if an end does not answer, before anything is posted."""
    poster.check()
    if ends.storage is not None:
        next(iter(ends.storage.keys("events/0000/")), None)
    if ends.warehouse is not None:
        ends.warehouse.known([])


def _check_arrival(report: ReplayReport, ends: Ends, timeout: float, stop: threading.Event, bar: Bar) -> None:
    if ends.warehouse is not None:
        wait_for_rows(report, ends.warehouse, timeout, stop, bar)
    if ends.storage is not None:
        check_objects(report, ends.storage)
