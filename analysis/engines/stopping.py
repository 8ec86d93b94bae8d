"""Stops queries that nobody waits for any more, in whatever thread they run."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TypeVar

from analysis.errors import AnalysisError

__all__ = ["Stop", "Stopped", "check_stop", "checked", "stoppable"]

Part = TypeVar("Part")


class Stopped(AnalysisError):
    """The work was stopped, because somebody asked for that."""


class Stop:
    """A switch that stops the queries of one piece of work: what runs inside of `watched`."""

    def __init__(self) -> None:
        self.is_requested = False
        self._lock = Lock()
        self._cancels: list[Callable[[], object]] = []

    def request(self) -> None:
        """Stop the query that runs now, and let no other begin. Any thread may call this."""
        with self._lock:
            self.is_requested = True
            for cancel in self._cancels:
                cancel()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let this switch stop what runs inside of the block, and in threads that copy its context."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def check(self) -> None:
        """Raise Stopped if the work shall end."""
        if self.is_requested:
            raise Stopped("stopped")

    @contextmanager
    def cancelling(self, cancel: Callable[[], object]) -> Iterator[None]:
        """Call `cancel` if a stop is requested inside of the block. Its error becomes Stopped."""
        with self._lock:
            self.check()
            self._cancels.append(cancel)
        try:
            yield
        except Exception:
            self.check()
            raise
        finally:
            with self._lock:
                self._cancels.remove(cancel)


_current: ContextVar[Stop | None] = ContextVar("stop", default=None)


@contextmanager
def stoppable(cancel: Callable[[], object]) -> Iterator[None]:
    """Run a query that `cancel` can end, from another thread. Raises Stopped if it does."""
    stop = _current.get()
    if stop is None:
        yield
        return
    with stop.cancelling(cancel):
        yield


def check_stop() -> None:
    """Raise Stopped if the work of this thread shall end."""
    if (stop := _current.get()) is not None:
        stop.check()


def checked(parts: Iterable[Part]) -> Iterator[Part]:
    """Give parts of a long piece of work, and raise Stopped between them if it shall end."""
    for part in parts:
        check_stop()
        yield part
