"""What the shoppers did, and what became of their events: counted while they click, and judged at the end."""

from collections import Counter
from dataclasses import dataclass, field

from chalicelib.contract import EVENT_NAMES
from emulator.replay.report import MAX_NAMED, OTHER

__all__ = ["Counts", "ShoppersReport"]


@dataclass
class Counts:
    """Events of one name: those that happened, and of these the accepted, the refused, and the lost ones."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    lost: int = 0


@dataclass
class ShoppersReport:
    """The account of one run; one thread counts, any may read. `clicking_seconds` is without the wait at the end.

    `problem` is why the latest answer was no acceptance; None while all is well.
    """

    endpoint: str
    seed: int
    sessions: int
    begun: int = 0
    finished: int = 0
    # All names from the start: another thread can add them up while one counts.
    by_name: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in EVENT_NAMES})
    reasons: Counter[str] = field(default_factory=Counter)
    problem: str | None = None
    clicking_seconds: float = 0.0
    interrupted: bool = False

    def count_accepted(self, name: str) -> None:
        """Count an event that the collector has."""
        self.by_name[name].accepted += 1
        self.problem = None

    def count_refused(self, name: str, reason: str) -> None:
        """Count an event that the collector does not want, and why."""
        self.by_name[name].refused += 1
        self.reasons[reason if reason in self.reasons or len(self.reasons) < MAX_NAMED else OTHER] += 1
        self.problem = reason

    def total(self, count: str) -> int:
        """One of the Counts, over all event names."""
        return sum(getattr(counts, count) for counts in self.by_name.values())

    @property
    def waiting(self) -> int:
        """Events that have happened, and of which nothing else is known yet."""
        settled = sum(map(self.total, ("accepted", "refused", "lost")))
        return self.total("sent") - settled  # counted last: it is never the smaller one

    @property
    def events_per_second(self) -> float:
        """Events that happened, by the time in which they did."""
        return self.total("sent") / self.clicking_seconds if self.clicking_seconds else 0.0

    @property
    def exit_code(self) -> int:
        """130 if interrupted, 1 if an event was refused or lost, 0 otherwise."""
        return 130 if self.interrupted else int(bool(self.total("refused") or self.total("lost")))
