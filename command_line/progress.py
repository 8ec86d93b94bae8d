"""Progress bars: a single bar that appears when work takes long, and a display of several bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = ["Watch", "new_progress", "progress", "watched"]

PATIENCE_SECONDS = 2.0
# Takes the name of the work, how much of it is done, and how much there is.
Watch: TypeAlias = Callable[[str, int, int], None]
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Tell `watch` about work as it begins and advances inside of the block. What it raises ends the work."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the amount of work done since its last call.

    A bar appears on standard error after two seconds, unless standard error is not a terminal, or `watched` tells
    somebody else.
    """
    # Imported here, because it takes long beside a query of the lake, which shows no bar.
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    watch = _watch.get()
    is_seen = watch is None and (console.is_terminal or console.is_jupyter)
    bar = Progress(console=console, transient=True, disable=not is_seen)
    task = bar.add_task(description, total=total)
    begun, so_far = monotonic(), 0

    def advance(done: int) -> None:
        nonlocal so_far
        so_far += done
        if watch is not None:
            watch(description, so_far, total)
        bar.advance(task, done)
        if monotonic() - begun > PATIENCE_SECONDS:
            bar.start()

    try:
        if watch is not None:
            watch(description, 0, total)
        yield advance
    finally:
        bar.stop()


def new_progress(console: "Console") -> "Progress":
    """Make a display of one or more bars, each with its description, its share and its running time."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
