"""One run of the shoppers from beginning to end: they click, then what still waits is sent."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from command_line.printable import without_credentials
from emulator.posting.poster import Poster
from emulator.shoppers.catalogue import Product
from emulator.shoppers.connections import Connections
from emulator.shoppers.crowd import Crowd
from emulator.shoppers.delivery import Delivery, OnAccepted
from emulator.shoppers.report import ShoppersReport

__all__ = ["Progress", "Shoppers"]

MOST_CONNECTIONS = 8
STOP_SECONDS = 2.0  # in which what waits may still be sent after a stop


@dataclass(frozen=True)
class Progress:
    """How far a run is: visits begun and finished, events by what became of them, and what is wrong now, if any."""

    begun: int
    finished: int
    accepted: int
    waiting: int
    refused: int
    lost: int
    problem: str | None


class Shoppers:
    """`sessions` visits to the shop at `shop_url`, with `rate` events per second over all shoppers together.

    Events happen at their rate however slow the collector at `endpoint` is: they wait in each shopper's browser, in
    order, until it answers 2xx. The same `seed` gives the same visits with other ids; None takes one by chance. Memory
    grows with the events that wait. Nobody clicks any more once `is_enough`, asked with how many events there are, says
    so. `on_accepted` is told of each event that was answered 2xx, by the thread that runs. Run it once, in any thread;
    the other attributes can be read from all threads. Raises CommandError for numbers that are out of range.
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
    ) -> None:
        self.endpoint = endpoint
        self.sessions = sessions
        self.rate = rate
        self._patience = patience
        self._is_enough = is_enough or (lambda _events: False)
        self._on_accepted = on_accepted
        seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        self._crowd = Crowd(catalogue, shop_url, sessions, rate, seed)
        self._report = ShoppersReport(without_credentials(endpoint), seed, sessions)

    def check(self) -> None:
        """Raise CommandError unless the endpoint answers at all, whatever it says."""
        with closing(Poster(self.endpoint, 1)) as poster:
            poster.check()

    def run(self, stop: threading.Event) -> ShoppersReport:
        """Let all shoppers click, then send what waits, until nothing arrives for `patience` seconds.

        What did not arrive then is lost. Setting `stop` ends the clicks at once, and the sending soon after. A
        collector that is away is waited for; raises CommandError only if the endpoint is no URL.
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
        """How far it is."""
        report, crowd = self._report, self._crowd
        accepted, refused, lost = map(report.total, ("accepted", "refused", "lost"))
        return Progress(crowd.begun, crowd.finished, accepted, report.waiting, refused, lost, report.problem)

    def _click(self, delivery: Delivery, stop: threading.Event) -> None:
        started = time.monotonic()
        for number, (seconds, session, step) in enumerate(self._crowd):
            if self._is_enough(number) or not delivery.work_until(started + seconds, stop):
                break
            delivery.add(session.browser, session.event(step))
        self._report.clicking_seconds = time.monotonic() - started
