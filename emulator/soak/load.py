"""The load: shoppers who click whatever happens, and a memory of what the collector has acknowledged."""

import json
import threading
from hashlib import sha256
from typing import NamedTuple

from emulator.posting.response import Response
from emulator.shoppers.browser import Browser, Event
from emulator.shoppers.catalogue import read_catalogue
from emulator.shoppers.crowd import MOST_SESSIONS
from emulator.shoppers.report import ShoppersReport
from emulator.shoppers.run import Shoppers
from emulator.shoppers.visit import Step

__all__ = ["Acknowledged", "Load", "digest", "probe_event"]

PATIENCE_SECONDS = 300.0
SHOP_URL = "http://127.0.0.1:8080"


class Acknowledged(NamedTuple):
    """What a 2xx was given for: the object's key, and a digest of the event."""

    key: str
    digest: bytes


def digest(event: Event) -> bytes:
    """The same for the same members and values."""
    return sha256(json.dumps(event, sort_keys=True).encode()).digest()


def probe_event() -> Event:
    """One page view of a client of its own."""
    session = Browser("probe").open_session()
    return session.event(Step("page_view", {}, 0, f"{SHOP_URL}/", "", None))


class Load:
    """`events` events or more, `rate` a second, until `may_end` is set; `acknowledged` by event id."""

    def __init__(self, endpoint: str, events: int, rate: float, seed: int) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.may_end = threading.Event()
        self._shoppers = Shoppers(
            endpoint,
            SHOP_URL,
            read_catalogue(),
            MOST_SESSIONS,
            rate,
            seed,
            patience=PATIENCE_SECONDS,
            is_enough=lambda so_far: so_far >= events and self.may_end.is_set(),
            on_accepted=self.remember,
        )

    def remember(self, event: Event, answer: Response) -> None:
        """Note that an event was acknowledged."""
        self.acknowledged[event["eventId"]] = Acknowledged(answer.key or "", digest(event))

    def run(self, stop: threading.Event) -> ShoppersReport:
        """Click, and send until all is acknowledged; see Shoppers."""
        return self._shoppers.run(stop)

    @property
    def waiting(self) -> int:
        """Events that wait in browsers now."""
        return self._shoppers.progress.waiting
