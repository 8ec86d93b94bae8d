"""The queue of deliveries: each comes out when it is due; faults of the triggers repeat, delay, shuffle or hold it."""

import heapq
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Condition
from typing import NamedTuple

from command_line.errors import CommandError
from emulator.triggers.notification import File

__all__ = ["DELAY_SECONDS", "SHUFFLE_SECONDS", "DeliveryQueue", "TriggerFaults"]

DELAY_SECONDS = 5.0
SHUFFLE_SECONDS = 2.0
HOLD_SECONDS = 10.0


class TriggerFaults(NamedTuple):
    """How S3 misbehaves: delivers twice, late, out of order, or not at all; any of them together."""

    twice: bool = False
    late: bool = False
    out_of_order: bool = False
    off: bool = False


class DeliveryQueue:
    """Files to deliver, for several threads; each `get` that gave a file is followed by a `done`."""

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or Random()  # noqa: S311  # an order of tests, no secret
        self._condition = Condition()
        self._waiting: list[tuple[float, int, File]] = []
        self._numbers = count()
        self._faults = TriggerFaults()
        self._under_way = 0
        self._wakes = 0
        self._held = False

    def put(self, file: File, *, is_first: bool = True) -> None:
        """Queue one delivery; of a first one, two where the faults say so: retries must not double each time."""
        with self._condition:
            for _ in range(2 if self._faults.twice and is_first else 1):
                heapq.heappush(self._waiting, (time.monotonic() + self._delay(), next(self._numbers), file))
                self._condition.notify()

    def get(self) -> File | None:
        """Wait for the next that is due; None for whoever is woken."""
        with self._condition:
            while not self._wakes:
                wait = self._seconds_left()
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._waiting)[2]
                self._condition.wait(wait)
            self._wakes -= 1
            return None

    def done(self) -> None:
        """The file last given has been dealt with."""
        with self._condition:
            self._under_way -= 1
            self._condition.notify_all()

    def wake(self) -> None:
        """Let one `get` return, now or when it is next called."""
        with self._condition:
            self._wakes += 1
            self._condition.notify_all()

    def misbehave(self, faults: TriggerFaults) -> None:
        """From now on, deliver with these faults; what waits is delayed anew, without those that are no longer on."""
        with self._condition:
            self._faults = faults
            now = time.monotonic()
            self._waiting = [(now + self._delay(), number, file) for _, number, file in self._waiting]
            heapq.heapify(self._waiting)
            self._condition.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is under way while the block runs, and what waits at its end is forgotten.

        Raises CommandError if a delivery under way does not end.
        """
        with self._condition:
            self._held = True
            is_quiet = self._condition.wait_for(lambda: not self._under_way, HOLD_SECONDS)
        try:
            if not is_quiet:
                raise CommandError("an object is being projected and does not come to an end: try again")
            yield
            self._waiting = []
        finally:
            with self._condition:
                self._held = False
                self._condition.notify_all()

    def _seconds_left(self) -> float | None:
        if not self._waiting or self._faults.off or self._held:
            return None
        return self._waiting[0][0] - time.monotonic()

    def _delay(self) -> float:
        late = DELAY_SECONDS if self._faults.late else 0
        return late + (self._random.uniform(0, SHUFFLE_SECONDS) if self._faults.out_of_order else 0)
