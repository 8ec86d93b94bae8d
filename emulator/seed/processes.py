"""Runs the same function over many tasks in several processes, and keeps the order."""

import gc
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

from command_line.errors import CommandError

__all__ = ["Mapping", "mapping"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class Mapping(Protocol):
    """The type of `map`: gives the results in the order of the tasks."""

    def __call__(self, function: Callable[[Task], Result], tasks: Iterable[Task], /) -> Iterator[Result]:
        """Begin all tasks, and return an iterator over their results."""


@contextmanager
def mapping(processes: int) -> Iterator[Mapping]:
    """Give a `map` over several processes, or the plain `map` for one process; cancel waiting tasks at the end.

    Raises:
        CommandError: One of the processes is killed.
    """
    if processes == 1:
        yield map
        return
    # Spawned, since a fork of a process whose progress bar runs in another thread could wait for its locks forever.
    # The processes make many objects and no cycles; looking for cycles took a quarter of the time.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=gc.disable) as executor:
        try:
            with _without_ctrl_c():
                for _ in range(processes):
                    executor.submit(int)  # starts one more process
            yield executor.map
        except BrokenProcessPool as error:
            raise CommandError(
                "a process of the seed was killed, perhaps for lack of memory: try again with fewer shoppers or days"
            ) from error
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Let processes that are started in the block ignore Ctrl-C, so that only this process handles it."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
