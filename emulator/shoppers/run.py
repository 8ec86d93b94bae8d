"""Runs the shoppers: they click, then the events that still wait are sent."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from command_line.printable import without_credentials
from emulator.posting.poster import Poster
from emulator.shoppers.browser import Browser
from emulator.shoppers.catalogue import Product
from emulator.shoppers.connections import Connections
from emulator.shoppers.crowd import Crowd
from emulator.shoppers.delivery import Delivery, OnAccepted
from emulator.shoppers.report import ShoppersReport

__all__ = ["Progress", "Shoppers"]

MOST_CONNECTIONS = 8
STOP_SECONDS = 2.0  # time to send waiting events after a stop


@dataclass(frozen=True)
class Progress:
    """The progress of a run: visits begun and finished, events by outcome, and the current problem, if any."""

    begun: int
    finished: int
    accepted: int
    waiting: int
    refused: int
    lost: int
    problem: str | None


class Shoppers:
    """One run of the shoppers. Run it once, in any thread; all threads may read its attributes.

    Events happen at their rate, however slow the collector is: they wait in each shopper's browser, in order, until
    the collector responds with 2xx. Memory grows with the waiting events.

    Args:
        endpoint: URL to post events to.
        shop_url: Address of the shop, for the events.
        catalogue: The products of the shop.
        sessions: Number of visits.
        rate: Events per second, over all shoppers together.
        seed: The same seed gives the same visits, with other ids; None: a random seed.
        patience: Seconds to wait for waiting events, after the last one was accepted or refused.
        is_enough: Gets the number of events so far; the shoppers stop clicking when it returns True.
        on_accepted: Is called with each accepted event and its response, by the thread that runs.
        clock: Tells what the clock of a browser shows; None: the right time in each browser.

    Raises:
        CommandError: `sessions` or `rate` is out of range.
    """

    def __init__(
        self,
        endpoint: str,
        shop_url: str,
        catalogue: Sequence[Product],
        sessions: int,
        rate: float,
        seed: int | None = None,
        *,
        patience: float = 60.0,
        is_enough: Callable[[int], bool] | None = None,
        on_accepted: OnAccepted | None = None,
        clock: Callable[[Browser], datetime] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.sessions = sessions
        self.rate = rate
        self._patience = patience
        self._is_enough = is_enough or (lambda _events: False)
        self._on_accepted = on_accepted
        self._clock = clock or (lambda _browser: datetime.now(UTC))
        seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        self._crowd = Crowd(catalogue, shop_url, sessions, rate, seed)
        self._report = ShoppersReport(without_credentials(endpoint), seed, sessions)

    def check(self) -> None:
        """Raise CommandError if nothing answers at the endpoint; any response will do."""
        with closing(Poster(self.endpoint, 1)) as poster:
            poster.check()

    def run(self, stop: threading.Event) -> ShoppersReport:
        """Let all shoppers click, then send the waiting events until none was settled for `patience` seconds.

        Events that still wait then count as lost. If the collector is away, the run waits for it.

        Args:
            stop: Ends the clicks at once when it is set, and the sending soon after.

        Raises:
            CommandError: The endpoint is not a URL.
        """
        with closing(Connections(self.endpoint, min(MOST_CONNECTIONS, self._crowd.most_at_a_time))) as connections:
            delivery = Delivery(connections, self._report, self._on_accepted)
            self._click(delivery, stop)
            delivery.drain(self._patience, stop)
            self._report.interrupted = stop.is_set()
            delivery.finish(STOP_SECONDS if stop.is_set() else 0)
        self._report.begun, self._report.finished = self._crowd.begun, self._crowd.finished
        return self._report

    @property
    def progress(self) -> Progress:
        """The current progress."""
        report, crowd = self._report, self._crowd
        accepted, refused, lost = map(report.total, ("accepted", "refused", "lost"))
        return Progress(crowd.begun, crowd.finished, accepted, report.waiting, refused, lost, report.problem)

    def _click(self, delivery: Delivery, stop: threading.Event) -> None:
        started = time.monotonic()
        for number, (seconds, session, step) in enumerate(self._crowd):
            if self._is_enough(number) or not delivery.work_until(started + seconds, stop):
                break
            delivery.add(session.browser, session.event(step, self._clock(session.browser)))
        self._report.clicking_seconds = time.monotonic() - started
