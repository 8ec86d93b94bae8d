"""One shopper's history, as faults change it: the events, what is stored beside them, and what must be found."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random

from emulator.seed.answers.findings import Findings
from emulator.seed.event import Event
from emulator.seed.visits import SESSION_IDLE

__all__ = ["History", "Suits"]

Suits = Callable[[Event], bool]


class History:
    """The events of one shopper in the order in which they happen, all received in the hours from `start` to `end`.

    `copies` are events that were received once more; `corrupt` are those whose objects came to be other bytes.
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
        """Key and bytes of every object."""
        for event in (*self.events, *self.copies):
            yield event.key, event.body
        for event, body in self.corrupt:
            yield event.key, body

    def pick_any(self) -> Event:
        """Any event."""
        return self.random.choice(self.events)

    def pick(self, suits: Suits) -> Event | None:
        """Any event that suits."""
        suitable = [event for event in self.events if suits(event)]
        return self.random.choice(suitable) if suitable else None

    def pick_named(self, *names: str) -> Event | None:
        """Any event of one of these names."""
        return self.pick(lambda event: event.payload["eventName"] in names)

    def pick_priced(self) -> Event | None:
        """Any event with a price."""
        return self.pick(lambda event: "price" in event.payload.get("product", ()))

    def same(self, event: Event, *members: str) -> list[Event]:
        """The events that have these members in common with it, in order."""
        wanted = [event.payload[member] for member in members]
        return [each for each in self.events if [each.payload[member] for member in members] == wanted]

    def session(self, event: Event) -> list[Event]:
        """The events of its session."""
        return self.same(event, "sessionId")

    def tab(self, event: Event) -> list[Event]:
        """The events of its client and tab."""
        return self.same(event, "clientId", "tabId")

    def client(self, event: Event) -> list[Event]:
        """The events of its client."""
        return self.same(event, "clientId")

    def sessions_by_client(self) -> list[list[list[Event]]]:
        """For each client its sessions, the earliest first."""
        found: dict[str, dict[str, list[Event]]] = {}
        for event in self.events:
            sessions = found.setdefault(event.payload["clientId"], {})
            sessions.setdefault(event.payload["sessionId"], []).append(event)
        return [list(sessions.values()) for sessions in found.values()]

    def is_spare(self, *events: Event) -> bool:
        """Whether their session is a session still, and not a broken one, if these of its events are not counted."""
        left = [event for event in self.session(events[0]) if event not in events]
        return bool(left) and all(later.at - earlier.at <= SESSION_IDLE for earlier, later in pairwise(left))
