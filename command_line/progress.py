"""Progress bars: a single bar that appears when work takes long, and a display of several bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = ["new_progress", "progress"]

PATIENCE_SECONDS = 2.0


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the amount of work done since its last call.

    A bar appears on standard error after two seconds, unless standard error is not a terminal.
    """
    # Imported here, because it takes long beside a query of the lake, which shows no bar.
    from rich.console import Console
    from rich.progress import Progress

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


def new_progress(console: "Console") -> "Progress":
    """Make a display of one or more bars, each with its description, its share and its running time."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
