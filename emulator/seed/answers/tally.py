"""What is known of a history, or of a part of it: its findings, and its numbers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emulator.seed.answers.findings import Findings
from emulator.seed.clock import hour_of
from emulator.seed.event import Event
from emulator.seed.history import History

__all__ = ["Tally"]

KINDS = ("rows", "duplicates", "rejects")  # what an object is


@dataclass(slots=True)
class Tally:
    """Findings, how often each fault was planted, objects by partition hour and kind, and sequence numbers.

    `expected` are the numbers that events should have, all tabs together; `lost` are those of them that none has.
    """

    findings: Findings = field(default_factory=Findings)
    faults: Counter[str] = field(default_factory=Counter)
    objects: Counter[tuple[int, str]] = field(default_factory=Counter)
    expected: int = 0
    lost: int = 0

    def count(self, history: History, fault: str | None) -> None:
        """Count one shopper's history, complete with its fault."""
        self.findings.merge(history.findings)
        self.faults.update([fault] if fault else [])
        corrupt = (event for event, _ in history.corrupt)
        for kind, events in zip(KINDS, (history.events, history.copies, corrupt), strict=True):
            self.objects.update((hour_of(event.stored_at), kind) for event in events)
        self._count_sequence(history.events)

    def merge(self, other: "Tally") -> None:
        """Take those of another part, too."""
        self.findings.merge(other.findings)
        self.faults.update(other.faults)
        self.objects.update(other.objects)
        self.expected += other.expected
        self.lost += other.lost

    def numbers(self, hour: int | None = None) -> dict[str, int]:
        """How many objects there are, of each kind, in one partition hour or in all."""
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
        """How often faults were planted, and what validation must find."""
        rate = self.lost / self.expected if self.expected else None
        return {
            "faults": dict(sorted(self.faults.items())),
            "sequence": {"expected": self.expected, "lost": self.lost, "loss_rate": rate},
            "checks": self.findings.by_check(),
        }

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
