"""Measures how long acknowledged events take to become rows, with a few small queries, and by kind of fault."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from statistics import median
from uuid import UUID

import psycopg

from command_line.errors import CommandError
from emulator.servers.processes import wait_until
from emulator.soak.faults.warehouse import REFUSED, is_refused
from emulator.soak.subject import Subject
from emulator.triggers.projected import known_events, quick_connection

__all__ = ["NO_FAULT", "OF_REFUSED", "Wait", "Waits"]

NO_FAULT = "no fault"
OF_REFUSED = "rows refused, of these"  # they cannot be rows meanwhile, unlike the others
POLL_SECONDS = 0.25
MOST_ASKED = 500  # primary keys in one query


@dataclass(frozen=True)
class Wait:
    """How long events took from their acknowledgement to their row, in seconds; at most a poll longer than in truth."""

    events: int
    median: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Wait":
        """Summarise waits; at least one."""
        return cls(len(seconds), round(median(seconds), 3), round(max(seconds), 3))


class Waits:
    """The waits of all events that `note` names. `look` asks the warehouse; `running` lets a thread do it.

    An event belongs to the fault under which it was acknowledged, else to the first that began while it waited.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._lock = threading.Lock()
        self._kind = NO_FAULT
        self._waiting: dict[UUID, tuple[float, str]] = {}  # time of the acknowledgement, and kind of fault
        self._seconds: dict[str, list[float]] = {}

    def note(self, event_id: str) -> None:
        """Note that an event has just been acknowledged."""
        with self._lock:
            self._waiting.setdefault(UUID(event_id), (time.monotonic(), self._kind))

    @contextmanager
    def during(self, kind: str) -> Iterator[None]:
        """Count the events that are acknowledged or wait while the block runs as those of this kind of fault."""
        with self._lock:
            self._kind = kind
            for event_id, (at, of) in self._waiting.items():
                self._waiting[event_id] = at, kind if of == NO_FAULT else of
        try:
            yield
        finally:
            with self._lock:
                self._kind = NO_FAULT

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look again and again, in a thread, while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,), name="waits", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def look(self, connection: psycopg.Connection) -> None:
        """Ask once which of the waiting events have a row by now. Raises psycopg.Error."""
        with self._lock:
            asked = list(islice(self._waiting, MOST_ASKED))
        if not asked:
            return
        known = known_events(connection, asked)
        now = time.monotonic()
        with self._lock:
            for event_id in asked:
                at, kind = self._waiting.pop(event_id)
                if event_id in known:
                    of = OF_REFUSED if kind == REFUSED and is_refused(event_id) else kind
                    self._seconds.setdefault(of, []).append(now - at)
                else:
                    self._waiting[event_id] = at, kind  # behind the others, so that each has its turn

    def settle(self, seconds: float) -> None:
        """Wait until no event waits, for at most so many seconds."""
        wait_until(lambda: not self._waiting, seconds)

    def by_kind(self) -> dict[str, Wait]:
        """Return the waits of the events that have become rows, by kind of fault."""
        with self._lock:
            return {kind: Wait.of(seconds) for kind, seconds in sorted(self._seconds.items())}

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(POLL_SECONDS):
            # While the warehouse is away, or the stack is started again.
            with suppress(psycopg.Error, CommandError), quick_connection(self._subject.stack.dw_url) as connection:
                while not stop.wait(POLL_SECONDS):
                    self.look(connection)
