"""A progress bar for work that takes longer than a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import Progress

__all__ = ["progress"]

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
