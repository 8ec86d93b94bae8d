"""Progress bars: one that shows by itself when work takes longer than a moment, and a display of several."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

__all__ = ["new_progress", "progress"]

PATIENCE_SECONDS = 2.0


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how much more is done; the bar shows on standard error once two seconds have passed.

    Nothing is shown where nobody watches: standard error is no terminal.
    """
    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not (console.is_terminal or console.is_jupyter))
    task = bar.add_task(description, total=total)
    begun = monotonic()

    def advance(done: int) -> None:
        bar.advance(task, done)
        if monotonic() - begun > PATIENCE_SECONDS:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()


def new_progress(console: Console) -> Progress:
    """Make a display of one or more bars: what is done, how far it is, and for how long it has run."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
