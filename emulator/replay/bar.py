"""The progress of a replay on a console."""

from pathlib import Path

from rich.progress import Progress, TaskID

from command_line.console import text_line
from emulator.replay.events import Event, Malformed

__all__ = ["Bar"]


class Bar:
    """The bar of posting: by the file's bytes, or by lines where there is a limit; then that of rows."""

    def __init__(self, progress: Progress, file: Path, limit: int | None) -> None:
        self._progress = progress
        self._by_lines = limit is not None
        self._posting = progress.add_task("posting", total=limit or file.stat().st_size)
        self._rows: TaskID | None = None

    def advance(self, line: Event | Malformed) -> None:
        """One line is done with; of a malformed one, say which it is and why."""
        self._progress.advance(self._posting, 1 if self._by_lines else line.size)
        if isinstance(line, Malformed):
            text = text_line(f"line {line.line_number}: {line.reason}", "yellow")
            self._progress.console.print(text, soft_wrap=True)

    def fill(self) -> None:
        """All lines are done with, though they may be fewer than the limit, and the header's bytes are missing."""
        self._progress.update(self._posting, total=self._progress.tasks[0].completed)

    def arrived(self, rows: int, missing: int) -> None:
        """That many more rows are in the warehouse, and others are still missing."""
        self._progress.stop_task(self._posting)
        if self._rows is None:
            self._rows = self._progress.add_task("in the warehouse", total=rows + missing)
        self._progress.advance(self._rows, rows)
