"""Figures over the traces: counts since the last reset, events per second, and percentiles of the time to a row."""

import time
from collections import Counter, deque
from collections.abc import Callable
from statistics import quantiles
from typing import Any

from emulator.traces.trace import WAITING, Trace

__all__ = ["Figures"]

RATE_SECONDS = 10
MOST_DURATIONS = 1000


class Figures:
    """Counts traces as they change; `clock` returns seconds. Not safe for threads: the caller holds a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: Counter[str] = Counter()
        self._late = 0
        self._arrivals: deque[float] = deque()
        self._durations: deque[float] = deque(maxlen=MOST_DURATIONS)

    def count(self, before: Trace | None, after: Trace | None) -> None:
        """Count a change of a trace.

        Args:
            before: The trace before the change; None if it is new.
            after: The trace after the change; None if it was forgotten while it waited.
        """
        for trace, step in ((before, -1), (after, 1)):
            if trace is not None:
                self._states[trace.state] += step
                self._late += step * trace.is_late
        if after is None:
            return
        if before is None and after.state != "refused":
            self._arrivals.append(self._clock())
        if after.milliseconds is not None and (before is None or before.row_at is None):
            self._durations.append(after.milliseconds)

    def as_json(self) -> dict[str, Any]:
        """Return counts since the last reset, events per second over ten seconds, and percentiles of 1,000 rows."""
        middle, high = self._percentiles()
        return {
            "accepted": self._states.total() - self._states["refused"],
            "rows": self._states["row"],
            "waiting": sum(self._states[state] for state in WAITING),
            "failing": self._states["failed"],
            "duplicates": self._states["duplicate"],
            "rejected": self._states["rejected"],
            "refused": self._states["refused"],
            "late": self._late,
            "eventsPerSecond": self._rate(),
            "p50Ms": middle,
            "p95Ms": high,
        }

    def _rate(self) -> float:
        now = self._clock()
        while self._arrivals and self._arrivals[0] < now - RATE_SECONDS:
            self._arrivals.popleft()
        return len(self._arrivals) / RATE_SECONDS

    def _percentiles(self) -> tuple[float | None, float | None]:
        """Return p50 and p95 in milliseconds, interpolated."""
        if len(self._durations) < 2:
            only = round(self._durations[0], 1) if self._durations else None
            return only, only
        cuts = quantiles(self._durations, n=20, method="inclusive")
        return round(cuts[9], 1), round(cuts[18], 1)
