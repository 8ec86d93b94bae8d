"""Generates the events of a shopper's visits, as the publisher sends them from the shopper's devices."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from emulator.seed.clock import MINUTE, SECOND, iso
from emulator.seed.event import Event, random_uuid
from emulator.seed.origins.devices import Home
from emulator.seed.origins.origin import Origins, Visit
from emulator.seed.shopper import Shopper
from emulator.shoppers.browser import publisher
from emulator.shoppers.visit import Arrival, Step, visit

__all__ = ["SESSION_IDLE", "events_of"]

SHOP_URL = "https://shop.example"
SESSION_IDLE = 30 * MINUTE  # without an event, as in the publisher
SECOND_DEVICE = 0.4  # probability that a visit is made with the second device
KEEPS_TAB = 0.3  # probability that a tab stays open until the next visit
ANSWER = (20, 600)  # milliseconds between a click and the event that follows from it
TRANSIT = (30, 900)  # milliseconds between an event and its receipt
THOUGHT = (1.9, 1.1)  # log-normal distribution of the seconds before a click
LONGEST_THOUGHT = 25 * MINUTE
DISTRACTED = 0.004  # probability of a long break before a click


@dataclass(eq=False, slots=True)
class _Device:
    client_id: str
    source_ip: str
    is_known: bool
    idle_from: int = 0
    tabs: dict[int, list[Any]] = field(default_factory=dict)  # tab id and last seq, by number of the tab


def events_of(random: Random, shopper: Shopper, end: int, origins: Origins) -> Iterator[Event]:
    """Yield every event of a shopper, one visit after the other, all received before `end` (as in `clock`)."""
    devices = [_new_device(random, shopper) for _ in range(shopper.devices)]
    for arrival in shopper.arrivals(random, end):
        device = devices[-1] if random.random() < SECOND_DEVICE else devices[0]
        # The publisher would count it to the same session.
        if arrival <= device.idle_from + SESSION_IDLE + MINUTE:
            continue
        told = origins.visit(device.client_id)
        steps = _timed(random, shopper, arrival, told.arrival)
        if steps[-1][0] + TRANSIT[1] < end:
            yield from _session(random, device, steps, told)


def _new_device(random: Random, shopper: Shopper) -> _Device:
    address = f"203.0.113.{random.randint(1, 254)}"  # reserved for documentation: RFC 5737
    return _Device(str(random_uuid(random)), address, shopper.is_known)


def _timed(random: Random, shopper: Shopper, begin: int, arrival: Arrival) -> list[tuple[int, Step]]:
    """Return the steps of one visit with their times."""
    steps = islice(visit(random, shopper.products, SHOP_URL, shopper.user_id, arrival), shopper.steps(random))
    at, timed = begin, []
    for step in steps:
        at += _thought(random) if step.name == "click" else random.randint(*ANSWER)
        timed.append((at, step))
    return timed


def _thought(random: Random) -> int:
    if random.random() < DISTRACTED:
        return random.randint(5 * MINUTE, LONGEST_THOUGHT)
    return min(int(random.lognormvariate(*THOUGHT) * SECOND), LONGEST_THOUGHT)


def _session(random: Random, device: _Device, steps: list[tuple[int, Step]], told: Visit) -> Iterator[Event]:
    session_id = str(random_uuid(random))
    is_first_visit, device.is_known = not device.is_known, True
    device.idle_from = steps[-1][0]
    device.tabs = {0: device.tabs[0]} if device.tabs and random.random() < KEEPS_TAB else {}
    for at, step in steps:
        tab = device.tabs.setdefault(step.tab, [str(random_uuid(random)), 0])
        tab[1] += 1
        event_id = random_uuid(random)
        payload = _payload(event_id, at, step, told.home, device.client_id, session_id, is_first_visit, *tab)
        received_at = at + random.randint(*TRANSIT)
        key, request = random_uuid(random), random_uuid(random)
        yield Event(payload, at, received_at, key, request, device.source_ip, told.origin(step))


def _payload(
    event_id: UUID,
    at: int,
    step: Step,
    home: Home,
    client_id: str,
    session_id: str,
    is_first_visit: bool,  # noqa: FBT001  # only ever called above, in the order of the members
    tab_id: str,
    seq: int,
) -> dict[str, Any]:
    """Return the payload as the publisher writes it."""
    return {
        "eventId": str(event_id),
        "eventName": step.name,
        "eventTimestamp": iso(at),
        "pageUrl": step.page_url,
        "referrer": step.referrer,
        "userId": step.user_id,
        "userLoginState": "logged_in" if step.user_id else "anonymous",
        "identitySource": "demo" if step.user_id else None,
        "clientId": client_id,
        "sessionId": session_id,
        "isFirstVisit": is_first_visit,
        "tabId": tab_id,
        "seq": seq,
        "dropped": {"overflow": 0, "refused": 0, "withheld": 0},
        "publisher": dict(publisher()),
        "context": {"timeZone": home.time_zone, "language": home.language},
        **step.payload,
    }
