"""The history of one shopper: its events and objects, which planted faults change, and the expected findings."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random

from emulator.seed.answers.findings import Findings
from emulator.seed.event import Event
from emulator.seed.visits import SESSION_IDLE

__all__ = ["History", "Suits"]

Suits = Callable[[Event], bool]


class History:
    """The events of one shopper, in the order in which they happen, and the objects beside them.

    Args:
        events: The events, all received from `start` until before `end`.
        random: Decides what a planted fault chooses.
        start: First hour of the history, as in `clock`.
        end: End of the history, as in `clock`.

    Attributes:
        copies: Events that were received once more.
        corrupt: Events whose objects hold other bytes, with these bytes.
        findings: What validation must find.
    """

    def __init__(self, events: list[Event], random: Random, start: int, end: int) -> None:
        self.events = sorted(events, key=lambda event: event.at)
        self.copies: list[Event] = []
        self.corrupt: list[tuple[Event, bytes]] = []
        self.findings = Findings()
        self.random = random
        self.start = start
        self.end = end

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Yield key and bytes of every object."""
        for event in (*self.events, *self.copies):
            yield event.key, event.body
        for event, body in self.corrupt:
            yield event.key, body

    def pick_any(self) -> Event:
        """Choose any event."""
        return self.random.choice(self.events)

    def pick(self, suits: Suits) -> Event | None:
        """Choose any event that suits; None if there is none."""
        suitable = [event for event in self.events if suits(event)]
        return self.random.choice(suitable) if suitable else None

    def pick_named(self, *names: str) -> Event | None:
        """Choose any event with one of these names; None if there is none."""
        return self.pick(lambda event: event.payload["eventName"] in names)

    def pick_priced(self) -> Event | None:
        """Choose any event with a price; None if there is none."""
        return self.pick(lambda event: "price" in event.payload.get("product", ()))

    def same(self, event: Event, *members: str) -> list[Event]:
        """Return the events with the same values of these members as the given event, in order."""
        wanted = [event.payload[member] for member in members]
        return [each for each in self.events if [each.payload[member] for member in members] == wanted]

    def session(self, event: Event) -> list[Event]:
        """Return the events of the session of an event."""
        return self.same(event, "sessionId")

    def tab(self, event: Event) -> list[Event]:
        """Return the events of the client and tab of an event."""
        return self.same(event, "clientId", "tabId")

    def client(self, event: Event) -> list[Event]:
        """Return the events of the client of an event."""
        return self.same(event, "clientId")

    def sessions_by_client(self) -> list[list[list[Event]]]:
        """Return the sessions of each client, the earliest first."""
        found: dict[str, dict[str, list[Event]]] = {}
        for event in self.events:
            sessions = found.setdefault(event.payload["clientId"], {})
            sessions.setdefault(event.payload["sessionId"], []).append(event)
        return [list(sessions.values()) for sessions in found.values()]

    def is_spare(self, *events: Event) -> bool:
        """Return whether the session of these events stays valid without them: not empty, and without a long gap."""
        left = [event for event in self.session(events[0]) if event not in events]
        return bool(left) and all(later.at - earlier.at <= SESSION_IDLE for earlier, later in pairwise(left))
