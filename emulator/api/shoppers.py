"""The shoppers that the page starts: one run at a time, in a thread of its own."""

import math
from threading import Event, RLock, Thread
from typing import Any

from command_line.home import Stack
from emulator.api.responses import Problem
from emulator.shoppers.catalogue import read_catalogue
from emulator.shoppers.run import Shoppers

__all__ = ["ShopperRun"]

STOP_SECONDS = 10


class ShopperRun:
    """Starts, stops and reports the shoppers of one stack; threads may share it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lock = RLock()
        self._shoppers: Shoppers | None = None
        self._thread: Thread | None = None
        self._stop = Event()

    @property
    def is_running(self) -> bool:
        """Whether shoppers click, or send what still waits."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, sessions: int, rate: float) -> None:
        """Let them begin: so many visits, with so many events per second. Raises Problem if others are here."""
        with self._lock:
            if self.is_running:
                raise Problem(409, "shoppers are here already: stop them first")
            self._stop = Event()
            # They are stopped by whoever started them; until then, their events wait as long as it takes.
            self._shoppers = Shoppers(
                self._stack.endpoint, self._stack.web_url, read_catalogue(), sessions, rate, patience=math.inf
            )
            self._thread = Thread(target=self._shoppers.run, args=(self._stop,), name="shoppers", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let them click no more; what waits is sent for a moment. Does nothing if there are none."""
        with self._lock:
            self._stop.set()
            if self._thread is not None:
                self._thread.join(STOP_SECONDS)

    def forget(self) -> None:
        """Stop them, and know nothing of them any more."""
        with self._lock:
            self.stop()
            self._shoppers = None

    def status(self) -> dict[str, Any]:
        """How far they are."""
        shoppers = self._shoppers
        if shoppers is None:
            nothing = dict.fromkeys(
                ("sessions", "rate", "begun", "finished", "accepted", "waiting", "refused", "lost"), 0
            )
            return {"running": False, **nothing, "problem": None}
        progress = shoppers.progress
        return {
            "running": self.is_running,
            "sessions": shoppers.sessions,
            "rate": shoppers.rate,
            "begun": progress.begun,
            "finished": progress.finished,
            "accepted": progress.accepted,
            "waiting": progress.waiting,
            "refused": progress.refused,
            "lost": progress.lost,
            "problem": progress.problem,
        }
