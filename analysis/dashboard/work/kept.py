"""Keeps the results of long work, so that it is done once for all who ask."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from analysis.engines.stopping import check_stop

__all__ = ["Kept"]

Result = TypeVar("Result")

LOOK_SECONDS = 0.1  # how often somebody who waits looks whether to stop


@dataclass
class _Entry(Generic[Result]):
    lock: Lock = field(default_factory=Lock)
    made: tuple[float, float, Result] | None = None  # since when it is known, how long it took, and the result


class Kept(Generic[Result]):
    """The results of some work, by what was asked for. Threads may share one object."""

    def __init__(self, most: int, rest: float = 0) -> None:
        """Keep nothing yet.

        Args:
            most: How many results are kept. The one that was not asked for the longest goes first.
            rest: A result that took long stays at least so many times as long.
        """
        self._most, self._rest = most, rest
        self._entries: dict[Hashable, _Entry[Result]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Result], fresh_seconds: float | None) -> Result:
        """Give a result again, or make it. Whoever asks for the same meanwhile waits for it.

        If the work fails or is stopped, nothing is kept, and the next one who waits does it.

        Args:
            key: What is asked for.
            make: Does the work.
            fresh_seconds: After how long the result is made again; None for never.

        Raises:
            Stopped: A stop was asked for.
        """
        with self._lock:
            entry = self._entries.pop(key, None) or _Entry()
            self._entries[key] = entry  # at the end: it was used last
            while len(self._entries) > self._most:
                del self._entries[next(iter(self._entries))]
        while not entry.lock.acquire(timeout=LOOK_SECONDS):
            check_stop()
        try:
            if entry.made is not None:
                since, took, result = entry.made
                if fresh_seconds is None or monotonic() - since < max(fresh_seconds, self._rest * took):
                    return result
            began = monotonic()
            result = make()
            entry.made = monotonic(), monotonic() - began, result
            return result
        finally:
            entry.lock.release()

    def forget(self) -> None:
        """Make every result again when it is next asked for, also results that are being made."""
        with self._lock:
            self._entries.clear()
