"""What a replay did: counted while it runs, and judged at its end."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from emulator.replay.events import Event, Malformed

__all__ = ["Counts", "ReplayReport"]

MAX_NAMED = 20  # how many malformed lines and reasons are kept: the rest is counted, so that memory stays bounded
OTHER = "other reasons"


@dataclass
class Counts:
    """Events of one name; `new` and `known` are rows in the warehouse, `missing` those that did not arrive there."""

    posted: int = 0
    accepted: int = 0
    refused: int = 0
    new: int = 0
    known: int = 0
    missing: int = 0


@dataclass
class ReplayReport:
    """The account of one replay; times are in seconds unless the name says ms.

    `missing_rows` are accepted events that the warehouse has not shown yet, oldest first, with their names;
    `missing_keys` are the objects that answers named and storage has not shown yet; `stored` is None if not checked.
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
    answer_seconds: list[float] = field(default_factory=list)
    interrupted: bool = False
    problems: list[str] = field(default_factory=list)

    def count_malformed(self, line: Malformed) -> None:
        """Count a line that is no event."""
        self.malformed += 1
        if len(self.first_malformed) < MAX_NAMED:
            self.first_malformed.append(line)

    def count_refused(self, event: Event, reason: str) -> None:
        """Count an event that was not accepted, and why."""
        counts = self.by_name[event.name]
        counts.posted += 1
        counts.refused += 1
        self.reasons[reason if reason in self.reasons or len(self.reasons) < MAX_NAMED else OTHER] += 1

    def count_accepted(self, event: Event, key: str, seconds: float, *, known: bool) -> None:
        """Count an accepted event: its object, its answer time, and whether its row was there before."""
        counts = self.by_name[event.name]
        counts.posted += 1
        counts.accepted += 1
        self.answer_seconds.append(seconds)
        self.missing_keys.add(key)
        if known:
            counts.known += 1
        elif self.warehouse_checked:
            counts.missing += 1
            self.missing_rows[event.event_id] = event.name

    def count_arrived(self, ids: Iterable[UUID]) -> None:
        """Count rows that are in the warehouse now; ids that were not waited for are passed over."""
        for event_id in ids:
            if name := self.missing_rows.pop(event_id, None):
                self.by_name[name].missing -= 1
                self.by_name[name].new += 1

    def count_stored(self, keys: Iterable[str]) -> None:
        """Count those of the keys in storage that answers named; `stored` stays None if the keys raise."""
        found = self.missing_keys.intersection(keys)
        self.missing_keys -= found
        self.stored = len(found)

    def total(self, count: str) -> int:
        """One of the Counts, over all event names."""
        return sum(getattr(counts, count) for counts in self.by_name.values())

    @property
    def lines(self) -> int:
        """The lines that are done with, the header not among them."""
        return self.malformed + self.total("posted")

    @property
    def missing_objects(self) -> int | None:
        """Accepted events without an object of their own in storage; None if not checked."""
        return None if self.stored is None else self.total("accepted") - self.stored

    @property
    def events_per_second(self) -> float:
        """Accepted events by the wall time of posting."""
        return self.total("accepted") / self.posting_seconds if self.posting_seconds else 0.0

    def answer_ms(self, quantile: float) -> float | None:
        """The nearest-rank quantile of the accepted events' answer times, in ms; None without any."""
        ordered = sorted(self.answer_seconds)
        return ordered[max(ceil(quantile * len(ordered)), 1) - 1] * 1000 if ordered else None

    @property
    def exit_code(self) -> int:
        """130 if interrupted, 1 if a line, an event, an object or a row was lost or not checkable, 0 otherwise."""
        lost = self.malformed or self.total("refused") or self.missing_objects or self.missing_rows or self.problems
        return 130 if self.interrupted else int(bool(lost))
