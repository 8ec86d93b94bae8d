"""What a compaction did."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from analysis.lake.hours import Hour
from analysis.lake.upkeep import Swept

__all__ = ["Compacted"]


@dataclass
class Compacted:
    """What was done.

    Attributes:
        hours: How many hours were compacted.
        days: How many days are one file now, and were not before.
        objects: The objects of these hours. They became `rows`, `repeats` (of events that were received before),
            `rejects` (not events) or `erased` (of erased people).
        waiting: How many hours are not closed yet.
        left: How many closed hours of raw are not in the lake, because something kept them from it.
        oldest_left: The first of these hours, if there are any.
        gone: The hours of which raw has fewer objects than were compacted. Their rows stay.
        unreadable: Key and reason of each object that may not be read. Its hour is not compacted.
        damaged: Each file that could not be read. Its day was compacted again from raw.
        swept: What the upkeep removed.
    """

    hours: int = 0
    days: int = 0
    objects: int = 0
    rows: int = 0
    repeats: int = 0
    rejects: int = 0
    erased: int = 0
    waiting: int = 0
    left: int = 0
    oldest_left: datetime | None = None
    gone: list[datetime] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    swept: Swept = field(default_factory=Swept)

    def count(self, records: Iterable[Hour]) -> None:
        """Add the hours of one commit."""
        for record in records:
            self.hours += 1
            self.objects += record.objects
            self.rows += record.rows
            self.repeats += record.repeats
            self.rejects += record.rejects
            self.erased += record.erased
