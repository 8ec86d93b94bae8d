"""Faults of clocks: devices that do not know the time."""

from emulator.seed.clock import HOUR, MINUTE, SECOND, iso
from emulator.seed.history import History

__all__ = ["clock_skew", "slight_skew"]

LEAST, MOST = 90 * SECOND, 3 * HOUR
SLIGHT = 50 * SECOND  # is none yet


def clock_skew(history: History) -> bool:
    """A device's clock is wrong, ahead or behind, by minutes or hours, always by the same."""
    random = history.random
    offset = random.choice((-1, 1)) * random.choice((random.randint(LEAST, 10 * MINUTE), random.randint(LEAST, MOST)))
    client_id, smallest = _shift(history, offset)
    history.findings.add("clock_skew", client_id=client_id, seconds=smallest / SECOND)
    return True


def slight_skew(history: History) -> bool:
    """A device's clock is less than a minute off, as many are: no finding."""
    _shift(history, history.random.randint(-SLIGHT, SLIGHT))
    return True


def _shift(history: History, offset: int) -> tuple[str, int]:
    """Shift the clock of one client; its id, and the smallest time between an event and its receipt there."""
    events = history.client(history.pick_any())
    for event in events:
        event.payload["eventTimestamp"] = iso(event.at + offset)
    smallest = min(event.received_at - event.at - offset for event in events)
    return events[0].payload["clientId"], smallest
