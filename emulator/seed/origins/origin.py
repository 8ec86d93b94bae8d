"""The origin of an event of the seed, and the values that its derived columns must have."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

from emulator.seed.origins.devices import Device, Home, new_device, new_home
from emulator.seed.origins.ways import Way, new_search, new_way
from emulator.shoppers.visit import Arrival, Step

__all__ = ["DIMENSIONS", "Origin", "Origins", "Visit"]


class Origin(NamedTuple):
    """The user agent of an event, and the values of its derived columns."""

    user_agent: str
    device: str
    browser: str
    browser_version: str | None
    system: str
    country: str | None
    acquisition_channel: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    search_term: str | None

    def without_page(self) -> "Origin":
        """Return the values that are known without the address of the page."""
        return self._replace(
            acquisition_channel=None, utm_source=None, utm_medium=None, utm_campaign=None, search_term=None
        )


# The derived columns whose values the answers count.
DIMENSIONS = Origin._fields[1:]


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: the device, the home, the way into the shop, and the term that is searched for; empty for none."""

    device: Device
    home: Home
    way: Way
    search: str
    arrival: Arrival

    def origin(self, step: Step) -> Origin:
        """Return the origin of a step. Only the first page, which no page of the visit leads to, has the campaign."""
        is_first_page = step.referrer == self.arrival.referrer
        way = self.way if is_first_page else Way(None)
        is_search = bool(self.search) and step.page_url.endswith(self.arrival.search)
        return Origin(
            *self.device,
            self.home.country,
            way.channel,
            way.source,
            way.medium,
            way.campaign,
            self.search if is_search else None,
        )


class Origins:
    """The origins of one shopper's events: a shopper keeps the home, and each of their clients its device.

    They have a generator of their own, so that they change nothing else of a history.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self.home = new_home(random)
        self._devices: dict[str, Device] = {}

    def visit(self, client_id: str) -> Visit:
        """Begin a visit with a client."""
        random = self._random
        if client_id not in self._devices:
            self._devices[client_id] = new_device(random)
        way, search = new_way(random), new_search(random)
        query = f"?{urlencode({'q': search})}" if search else ""
        return Visit(self._devices[client_id], self.home, way, search, Arrival(way.referrer, way.query(random), query))
