"""Runs the same function over many tasks in several processes, in order."""

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
    """What `map` is: the results in the order of the tasks."""

    def __call__(self, function: Callable[[Task], Result], tasks: Iterable[Task], /) -> Iterator[Result]:
        """Begin all of them."""


@contextmanager
def mapping(processes: int) -> Iterator[Mapping]:
    """A `map` over so many processes, or over none if there is only one; what still waits at the end is not begun.

    Raises CommandError if one of them is killed.
    """
    if processes == 1:
        yield map
        return
    # Fresh processes: a fork of one that shows progress from another thread could wait for its locks forever.
    # They make many objects and no cycles: looking for those took a quarter of the time.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=gc.disable) as executor:
        try:
            with _without_ctrl_c():
                for _ in range(processes):
                    executor.submit(int)  # starts one, since the others are not there yet
            yield executor.map
        except BrokenProcessPool as error:
            raise CommandError("a process of the seed was killed: perhaps there was too little memory") from error
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes that are started meanwhile leave Ctrl-C to the one that waits for them."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
