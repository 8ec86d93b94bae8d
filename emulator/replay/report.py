"""The report of a replay: counts outcomes while it runs, and gives the exit code at its end."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from emulator.replay.events import Event, Malformed

__all__ = ["Counts", "ReplayReport"]

MAX_NAMED = 20  # malformed lines and reasons that are kept; the rest is only counted, so that memory stays bounded
OTHER = "other reasons"


@dataclass
class Counts:
    """Counts of the events of one name.

    `new` rows arrived during the replay, `known` rows were there before, and `missing` ones have not arrived.
    """

    posted: int = 0
    accepted: int = 0
    refused: int = 0
    new: int = 0
    known: int = 0
    missing: int = 0


@dataclass
class ReplayReport:
    """The counts and findings of one replay; times are in seconds unless the name says ms.

    Attributes:
        missing_rows: Names of accepted events that have no row yet, by event id, the oldest first.
        missing_keys: Keys that responses named and that were not found in storage yet.
        stored: Number of objects found in storage; None if storage was not checked.
        problems: Reasons why posting stopped early or something could not be checked.
    """

    endpoint: str
    warehouse_checked: bool
    malformed: int = 0
    first_malformed: list[Malformed] = field(default_factory=list)
    by_name: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    reasons: Counter[str] = field(default_factory=Counter)
    missing_rows: dict[UUID, str] = field(default_factory=dict)
    missing_keys: set[str] = field(default_factory=set)
    stored: int | None = None
    posting_seconds: float = 0.0
    response_seconds: list[float] = field(default_factory=list)
    interrupted: bool = False
    problems: list[str] = field(default_factory=list)

    def count_malformed(self, line: Malformed) -> None:
        """Count a malformed line."""
        self.malformed += 1
        if len(self.first_malformed) < MAX_NAMED:
            self.first_malformed.append(line)

    def count_refused(self, event: Event, reason: str) -> None:
        """Count an event that was not accepted, and the reason."""
        counts = self.by_name[event.name]
        counts.posted += 1
        counts.refused += 1
        self.reasons[reason if reason in self.reasons or len(self.reasons) < MAX_NAMED else OTHER] += 1

    def count_accepted(self, event: Event, key: str, seconds: float, *, known: bool) -> None:
        """Count an accepted event.

        Args:
            event: The event.
            key: Key of its object, as in the response.
            seconds: Response time.
            known: Whether its row was in the warehouse before.
        """
        counts = self.by_name[event.name]
        counts.posted += 1
        counts.accepted += 1
        self.response_seconds.append(seconds)
        self.missing_keys.add(key)
        if known:
            counts.known += 1
        elif self.warehouse_checked:
            counts.missing += 1
            self.missing_rows[event.event_id] = event.name

    def count_arrived(self, ids: Iterable[UUID]) -> None:
        """Count rows that are in the warehouse now; ignore ids that are not missing."""
        for event_id in ids:
            if name := self.missing_rows.pop(event_id, None):
                self.by_name[name].missing -= 1
                self.by_name[name].new += 1

    def count_stored(self, keys: Iterable[str]) -> None:
        """Count the given keys of storage that responses named; `stored` stays None if iterating over them raises."""
        found = self.missing_keys.intersection(keys)
        self.missing_keys -= found
        self.stored = len(found)

    def total(self, count: str) -> int:
        """Return the sum of one of the Counts over all event names."""
        return sum(getattr(counts, count) for counts in self.by_name.values())

    @property
    def lines(self) -> int:
        """The number of lines that were read, without the header."""
        return self.malformed + self.total("posted")

    @property
    def missing_objects(self) -> int | None:
        """The number of accepted events without an object in storage; None if storage was not checked."""
        return None if self.stored is None else self.total("accepted") - self.stored

    @property
    def events_per_second(self) -> float:
        """Accepted events per second of posting."""
        return self.total("accepted") / self.posting_seconds if self.posting_seconds else 0.0

    def response_ms(self, quantile: float) -> float | None:
        """Return the nearest-rank quantile of the response times of accepted events, in ms; None without any."""
        ordered = sorted(self.response_seconds)
        return ordered[max(ceil(quantile * len(ordered)), 1) - 1] * 1000 if ordered else None

    @property
    def exit_code(self) -> int:
        """130 if interrupted; 1 if a line was malformed, an event refused or lost, or a check impossible; else 0."""
        lost = self.malformed or self.total("refused") or self.missing_objects or self.missing_rows or self.problems
        return 130 if self.interrupted else int(bool(lost))
