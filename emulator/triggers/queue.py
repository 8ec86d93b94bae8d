"""The queue of deliveries: gives each when it is due. Trigger faults repeat, delay, reorder or hold deliveries."""

import heapq
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Condition
from typing import NamedTuple

from sortedcontainers import SortedList

from chalicelib.keys import PREFIX
from command_line.errors import CommandError
from emulator.triggers.notification import File

__all__ = ["DELAY_SECONDS", "SHUFFLE_SECONDS", "Delivery", "DeliveryQueue", "TriggerFaults"]

DELAY_SECONDS = 5.0
SHUFFLE_SECONDS = 2.0
HOLD_SECONDS = 10.0
# So much of each batch are the oldest: none waits for ever while new ones come faster than they are delivered.
OLDEST_SHARE = 5
HOUR = slice(len(PREFIX), len(f"{PREFIX}2026/11/24/22"))
NANOSECONDS = 1_000_000_000


class TriggerFaults(NamedTuple):
    """The trigger faults that are on: delivering twice, late, out of order, or not at all."""

    twice: bool = False
    late: bool = False
    out_of_order: bool = False
    off: bool = False


class Delivery(NamedTuple):
    """One delivery of one object.

    `tries` counts its deliveries that failed. A `refused` one failed by its own fault, so that others come first.
    """

    file: File
    tries: int = 0
    refused: bool = False


class DeliveryQueue:
    """The deliveries that wait; threads may share it. Call `done` after each `get` that returned some.

    Refused ones come last. Among the others, the newest hour comes first, and in it the newest second: while a backlog
    drains, a new event does not wait for it. A fifth of each batch are the oldest.
    """

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or Random()  # noqa: S311  # delays need no secure randomness
        self._condition = Condition()
        self._later: list[tuple[float, int, Delivery]] = []  # a heap by the time when each is due
        # The due ones in their order, each as (order, number, delivery).
        self._ready: SortedList = SortedList()
        self._refused: SortedList = SortedList()
        self._numbers = count()
        self._faults = TriggerFaults()
        self._paused_until = 0.0
        self._under_way = 0
        self._is_retrying = False
        self._wakes = 0
        self._held = False

    def put(self, delivery: Delivery, delay: float = 0) -> None:
        """Queue one delivery, due after `delay` seconds; a first one twice if that fault is on."""
        with self._condition:
            for _ in range(2 if self._faults.twice and not delivery.tries else 1):
                due = time.monotonic() + delay + self._delay()
                heapq.heappush(self._later, (due, next(self._numbers), delivery))
                self._condition.notify()

    def get(self, most: int = 1) -> list[Delivery]:
        """Wait for deliveries that are due, and return at most so many; an empty list after `wake`.

        They are either all refused ones or none of them is. Refused ones are given to one thread at a time, so that
        they never keep all threads busy.
        """
        with self._condition:
            while not self._wakes:
                wait = self._seconds_left()
                if wait is not None and wait <= 0 and (taken := self._take(most)):
                    self._under_way += 1
                    return taken
                self._condition.wait(wait if wait is None or wait > 0 else self._seconds_to_next())
            self._wakes -= 1
            return []

    def done(self, deliveries: Sequence[Delivery]) -> None:
        """Note that what the last `get` returned has been delivered, successfully or not."""
        with self._condition:
            self._under_way -= 1
            if deliveries[0].refused:
                self._is_retrying = False
            self._condition.notify_all()

    def wake(self) -> None:
        """Let one `get` return nothing, now or when it is next called."""
        with self._condition:
            self._wakes += 1
            self._condition.notify_all()

    def pause(self, seconds: float) -> None:
        """Give nothing for so many seconds."""
        with self._condition:
            self._paused_until = time.monotonic() + seconds

    def misbehave(self, faults: TriggerFaults) -> None:
        """Deliver with these faults from now on, including the deliveries that wait already, but for refused ones."""
        with self._condition:
            self._faults = faults
            now = time.monotonic()
            waiting = [*self._later, *((now, *each[1:]) for each in (*self._ready, *self._refused))]
            self._later = [
                (due if delivery.refused else now + self._delay(), number, delivery)
                for due, number, delivery in waiting
            ]
            self._forget_ready()
            heapq.heapify(self._later)
            self._condition.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Deliver nothing while the block runs, and forget the waiting deliveries at its end.

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
            self._later = []
            self._forget_ready()
        finally:
            with self._condition:
                self._held = False
                self._condition.notify_all()

    def _take(self, most: int) -> list[Delivery]:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            _, number, delivery = heapq.heappop(self._later)
            (self._refused if delivery.refused else self._ready).add((_order(delivery), number, delivery))
        line = self._ready or (not self._is_retrying and self._refused)
        if not line:
            return []
        self._is_retrying |= line is self._refused
        count = min(most, len(line))
        oldest = count // OLDEST_SHARE
        places = [0] * (count - oldest) + [-1] * oldest
        return [line.pop(place)[2] for place in places]

    def _forget_ready(self) -> None:
        self._ready.clear()
        self._refused.clear()

    def _seconds_left(self) -> float | None:
        """Return the seconds until something may be taken; None if that needs a call of another method first."""
        is_due = bool(self._ready or self._refused)
        if self._faults.off or self._held or not (is_due or self._later):
            return None
        next_due = 0 if is_due else self._later[0][0]
        return max(next_due, self._paused_until) - time.monotonic()

    def _seconds_to_next(self) -> float | None:
        """Return the seconds until the next delivery is due, while nothing that is due may be taken."""
        return max(0.0, self._later[0][0] - time.monotonic()) if self._later else None

    def _delay(self) -> float:
        late = DELAY_SECONDS if self._faults.late else 0
        return late + (self._random.uniform(0, SHUFFLE_SECONDS) if self._faults.out_of_order else 0)


def _order(delivery: Delivery) -> tuple[int, int]:
    """Return what orders deliveries that are due: the newest hour and second first."""
    hour = delivery.file.key[HOUR].replace("/", "")
    return -int(hour) if hour.isascii() and hour.isdigit() else 0, -(delivery.file.changed // NANOSECONDS)
