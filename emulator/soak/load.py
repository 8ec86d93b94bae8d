"""The load: shoppers who click whatever happens, and a record of the acknowledged events."""

import json
import threading
from collections.abc import Callable
from datetime import datetime
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
    """An acknowledged event: the key of its object, and a digest of the event as sent."""

    key: str
    digest: bytes


def digest(event: Event) -> bytes:
    """Return a hash of an event; it depends on names and values of members, but not on their order."""
    return sha256(json.dumps(event, sort_keys=True).encode()).digest()


def probe_event() -> Event:
    """Make a page view of a new client."""
    session = Browser("probe").open_session()
    return session.event(Step("page_view", {}, 0, f"{SHOP_URL}/", "", None))


class Load:
    """Sends at least `events` events, `rate` per second, and until `may_end` is set.

    `acknowledged` holds the acknowledged events by event id. `clock` and `on_accepted` are as for `Shoppers`, but that
    `on_accepted` gets the event id.
    """

    def __init__(
        self,
        endpoint: str,
        events: int,
        rate: float,
        seed: int,
        *,
        clock: Callable[[Browser], datetime] | None = None,
        on_accepted: Callable[[str], None] = lambda _event_id: None,
    ) -> None:
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
            clock=clock,
        )
        self._on_accepted = on_accepted

    def remember(self, event: Event, response: Response) -> None:
        """Note that an event was acknowledged."""
        self.acknowledged[event["eventId"]] = Acknowledged(response.key or "", digest(event))
        self._on_accepted(event["eventId"])

    def run(self, stop: threading.Event) -> ShoppersReport:
        """Click, and send until every event is acknowledged; see `Shoppers.run`."""
        return self._shoppers.run(stop)

    @property
    def waiting(self) -> int:
        """The number of events that wait in browsers now."""
        return self._shoppers.progress.waiting
