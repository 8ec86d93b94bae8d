"""The report of the shoppers: counts events while they click, and gives the exit code at the end."""

from collections import Counter
from dataclasses import dataclass, field

from chalicelib.contract import EVENT_NAMES
from emulator.replay.report import MAX_NAMED, OTHER

__all__ = ["Counts", "ShoppersReport"]


@dataclass
class Counts:
    """Counts of the events of one name; `sent` includes the other three, and the events that still wait."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    lost: int = 0


@dataclass
class ShoppersReport:
    """The counts of one run; one thread counts, all threads may read.

    Attributes:
        begun: Visits that have begun.
        finished: Visits that have ended.
        reasons: Numbers of refused events, by reason.
        problem: Why the latest event was not accepted; None if it was.
        clicking_seconds: Seconds in which events happened, without the wait for responses at the end.
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
        """Count an event that the collector accepted."""
        self.by_name[name].accepted += 1
        self.problem = None

    def count_refused(self, name: str, reason: str) -> None:
        """Count an event that the collector refused, and the reason."""
        self.by_name[name].refused += 1
        self.reasons[reason if reason in self.reasons or len(self.reasons) < MAX_NAMED else OTHER] += 1
        self.problem = reason

    def total(self, count: str) -> int:
        """Return the sum of one of the Counts over all event names."""
        return sum(getattr(counts, count) for counts in self.by_name.values())

    @property
    def waiting(self) -> int:
        """Events that are not accepted, refused or lost yet."""
        settled = sum(map(self.total, ("accepted", "refused", "lost")))
        return self.total("sent") - settled  # `sent` is read last, so that the difference is never negative

    @property
    def events_per_second(self) -> float:
        """Events per second while the shoppers clicked."""
        return self.total("sent") / self.clicking_seconds if self.clicking_seconds else 0.0

    @property
    def exit_code(self) -> int:
        """130 if interrupted; 1 if an event was refused or lost; otherwise 0."""
        return 130 if self.interrupted else int(bool(self.total("refused") or self.total("lost")))
