"""Counts the objects, planted faults and sequence numbers of a history, and collects its findings."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emulator.seed.answers.findings import Findings
from emulator.seed.clock import hour_of
from emulator.seed.event import Event
from emulator.seed.history import History
from emulator.seed.origins.origin import DIMENSIONS, Origin

__all__ = ["Tally"]

KINDS = ("rows", "duplicates", "rejects")  # kinds of objects
DIRECT = "Direct"  # the channel of a session of which no event says another

Value = tuple[str, str | None]  # name and value of a derived column


@dataclass(slots=True)
class Tally:
    """The counts of a history, or of a part of it.

    Attributes:
        findings: What validation must find.
        faults: How often each fault was planted.
        objects: Numbers of objects, by partition hour and kind.
        expected: Number of sequence numbers that should have arrived, over all tabs.
        lost: Number of expected sequence numbers that no event has.
        events: Number of events by derived column and its value.
        sessions: Number of sessions that have such an event.
        channels: Number of sessions by the channel of the session.
    """

    findings: Findings = field(default_factory=Findings)
    faults: Counter[str] = field(default_factory=Counter)
    objects: Counter[tuple[int, str]] = field(default_factory=Counter)
    expected: int = 0
    lost: int = 0
    events: Counter[Value] = field(default_factory=Counter)
    sessions: Counter[Value] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)

    def count(self, history: History, fault: str | None) -> None:
        """Count one shopper's history with its planted fault."""
        self.findings.merge(history.findings)
        self.faults.update([fault] if fault else [])
        corrupt = (event for event, _ in history.corrupt)
        for kind, events in zip(KINDS, (history.events, history.copies, corrupt), strict=True):
            self.objects.update((hour_of(event.stored_at), kind) for event in events)
        self._count_sequence(history.events)
        self._count_origins(history.events)

    def merge(self, other: "Tally") -> None:
        """Add the counts of another part."""
        self.findings.merge(other.findings)
        self.faults.update(other.faults)
        self.objects.update(other.objects)
        self.expected += other.expected
        self.lost += other.lost
        self.events.update(other.events)
        self.sessions.update(other.sessions)
        self.channels.update(other.channels)

    def numbers(self, hour: int | None = None) -> dict[str, int]:
        """Return the number of objects, and of each kind, in one partition hour or in all."""
        if hour is not None:
            found = {kind: self.objects[hour, kind] for kind in KINDS}
        else:
            found = {kind: sum(number for (_, of), number in self.objects.items() if of == kind) for kind in KINDS}
        return {"objects": sum(found.values()), **found}

    @property
    def hours(self) -> list[int]:
        """The partition hours that have objects."""
        return sorted({hour for hour, _ in self.objects})

    def as_json(self) -> dict[str, Any]:
        """Return the planted faults, the findings that validation must make, and the counts by derived column."""
        rate = self.lost / self.expected if self.expected else None
        return {
            "faults": dict(sorted(self.faults.items())),
            "sequence": {"expected": self.expected, "lost": self.lost, "loss_rate": rate},
            "checks": self.findings.by_check(),
            "derived": {name: self._counted(name) for name in DIMENSIONS},
            "session_channels": dict(sorted(self.channels.items())),
        }

    def _counted(self, column: str) -> list[dict[str, Any]]:
        """Return the counts of a derived column by its values, of which null is the last."""
        values = sorted((value for name, value in self.events if name == column), key=lambda each: (each is None, each))
        return [
            {"value": value, "events": self.events[column, value], "sessions": self.sessions[column, value]}
            for value in values
        ]

    def _count_origins(self, events: Iterable[Event]) -> None:
        """Count events and sessions by the values of derived columns; `events` are in order of time."""
        origins: Counter[tuple[str | None, Origin]] = Counter()
        channels: dict[str, str | None] = {}
        for event in events:
            session = event.payload["sessionId"]
            origin = event.origin if event.payload["pageUrl"] else event.origin.without_page()
            origins[session, origin] += 1
            if session is not None:
                channels[session] = channels.get(session) or origin.acquisition_channel
        in_sessions = set()
        for (session, origin), number in origins.items():
            for value in zip(DIMENSIONS, origin[1:], strict=True):
                self.events[value] += number
                in_sessions.add((session, value))
        self.sessions.update(value for session, value in in_sessions if session is not None)
        self.channels.update(channel or DIRECT for channel in channels.values())

    def _count_sequence(self, events: Iterable[Event]) -> None:
        last: dict[tuple[str, str], int] = {}
        arrived = set()
        for payload in (event.payload for event in events):
            if payload["clientId"] is not None:
                tab = payload["clientId"], payload["tabId"]
                last[tab] = max(payload["seq"], last.get(tab, 0))
                arrived.add((*tab, payload["seq"]))
        self.expected += sum(last.values())
        self.lost += sum(last.values()) - len(arrived)
