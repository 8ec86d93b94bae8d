"""Shows the progress of a replay on a console."""

from pathlib import Path

from rich.progress import Progress, TaskID

from command_line.console import text_line
from emulator.replay.events import Event, Malformed

__all__ = ["Bar"]


class Bar:
    """A bar for posting (in bytes of the file, or in lines if there is a limit), then a bar for rows."""

    def __init__(self, progress: Progress, file: Path, limit: int | None) -> None:
        self._progress = progress
        self._by_lines = limit is not None
        self._posting = progress.add_task("posting", total=limit or file.stat().st_size)
        self._rows: TaskID | None = None

    def advance(self, line: Event | Malformed) -> None:
        """Advance by one line; print its number and the reason if it is malformed."""
        self._progress.advance(self._posting, 1 if self._by_lines else line.size)
        if isinstance(line, Malformed):
            text = text_line(f"line {line.line_number}: {line.reason}", "yellow")
            self._progress.console.print(text, soft_wrap=True)

    def fill(self) -> None:
        """Complete the bar of posting: lines may be fewer than the limit, and the header's bytes were not counted."""
        self._progress.update(self._posting, total=self._progress.tasks[0].completed)

    def arrived(self, rows: int, missing: int) -> None:
        """Advance the bar of rows by `rows` that arrived; `missing` ones are still to come."""
        self._progress.stop_task(self._posting)
        if self._rows is None:
            self._rows = self._progress.add_task("waiting for rows", total=rows + missing)
        self._progress.advance(self._rows, rows)
