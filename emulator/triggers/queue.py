"""The queue of deliveries: gives each when it is due. Trigger faults repeat, delay, reorder or hold deliveries."""

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
    """The trigger faults that are on: delivering twice, late, out of order, or not at all."""

    twice: bool = False
    late: bool = False
    out_of_order: bool = False
    off: bool = False


class DeliveryQueue:
    """The files to deliver; threads may share it. Call `done` after each `get` that returned a file."""

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or Random()  # noqa: S311  # delays need no secure randomness
        self._condition = Condition()
        self._waiting: list[tuple[float, int, File]] = []
        self._numbers = count()
        self._faults = TriggerFaults()
        self._under_way = 0
        self._wakes = 0
        self._held = False

    def put(self, file: File, *, is_first: bool = True) -> None:
        """Queue one delivery; a first one twice if that fault is on. Retries are never doubled."""
        with self._condition:
            for _ in range(2 if self._faults.twice and is_first else 1):
                heapq.heappush(self._waiting, (time.monotonic() + self._delay(), next(self._numbers), file))
                self._condition.notify()

    def get(self) -> File | None:
        """Wait for the next file that is due, and return it; None after `wake`."""
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
        """Note that the file of the last `get` has been delivered, successfully or not."""
        with self._condition:
            self._under_way -= 1
            self._condition.notify_all()

    def wake(self) -> None:
        """Let one `get` return None, now or when it is next called."""
        with self._condition:
            self._wakes += 1
            self._condition.notify_all()

    def misbehave(self, faults: TriggerFaults) -> None:
        """Deliver with these faults from now on, including the files that wait already."""
        with self._condition:
            self._faults = faults
            now = time.monotonic()
            self._waiting = [(now + self._delay(), number, file) for _, number, file in self._waiting]
            heapq.heapify(self._waiting)
            self._condition.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Deliver nothing while the block runs, and forget the waiting files at its end.

        Raises:
            CommandError: A delivery under way does not end.
        """
        with self._condition:
            self._held = True
            is_quiet = self._condition.wait_for(lambda: not self._under_way, HOLD_SECONDS)
        try:
            if not is_quiet:
                raise CommandError(f"the projector has not finished an object within {HOLD_SECONDS:.0f} s: try again")
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
