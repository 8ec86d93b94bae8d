"""Runs the same function over many tasks in several processes, in order."""

import gc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

__all__ = ["Mapping", "mapping"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class Mapping(Protocol):
    """What `map` is: the results in the order of the tasks."""

    def __call__(self, function: Callable[[Task], Result], tasks: Iterable[Task], /) -> Iterator[Result]:
        """Begin all of them."""


@contextmanager
def mapping(processes: int) -> Iterator[Mapping]:
    """A `map` over so many processes, or over none if there is only one; what still waits at the end is not begun."""
    if processes == 1:
        yield map
        return
    # Fresh processes: a fork of one that shows progress from another thread could wait for its locks forever.
    # They make many objects and no cycles: looking for those took a quarter of the time.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=gc.disable) as executor:
        try:
            yield executor.map
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
