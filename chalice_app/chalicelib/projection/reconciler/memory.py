"""What the reconciler remembers of each hour, in small objects of the raw bucket, one per day.

It is beside the events and not in the warehouse, which may sleep: it is woken only if a listing shows something new. If
an object of this memory is lost, its hours are compared once more.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from chalicelib.errors import ObjectGone
from chalicelib.projection.reconciler.listing import Listing
from chalicelib.storage import RawObject

__all__ = ["FOLDER", "Exceptions", "Memory", "Seen"]

FOLDER = "reconciler/"
OLDER = f"{FOLDER}older.json"


class Keeping(Protocol):
    """A storage for the memory."""

    def get(self, bucket: str, key: str) -> RawObject:
        """Read one object, or raise ObjectGone or StorageUnavailable."""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store one object, or raise StorageUnavailable."""


@dataclass(frozen=True)
class Exceptions:
    """Objects of one hour that rightly add nothing to the rows whose `event_timestamp` lies in that hour.

    Attributes:
        repeats: Another object gave the row of the event.
        erased: The warehouse keeps the event's person out.
        before_horizon: The row would be older than the warehouse keeps rows.
        elsewhere: How many rows lie in other hours, by the start of that hour (ISO 8601), as of objects put by hand.
    """

    repeats: int = 0
    erased: int = 0
    before_horizon: int = 0
    elsewhere: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many objects these are."""
        return self.repeats + self.erased + self.before_horizon + sum(self.elsewhere.values())

    def and_also(self, other: "Exceptions") -> "Exceptions":
        """Add other objects of the same hour."""
        return Exceptions(
            self.repeats + other.repeats,
            self.erased + other.erased,
            self.before_horizon + other.before_horizon,
            dict(Counter(self.elsewhere) + Counter(other.elsewhere)),
        )


@dataclass(frozen=True)
class Seen:
    """What was found of one hour.

    Attributes:
        objects: How many objects were listed.
        digest: The digest of that listing.
        cut: What was stored until then (seconds since 1970) is accounted for, except for `waiting`.
        settled: The digest of the objects until the cut.
        exceptions: Those among the objects until the cut.
        surplus: Rows and rejects of the hour that none of its objects accounts for.
        waiting: Keys of objects that have no row yet.
        complete: Whether every object was accounted for.
        checked_at: When the hour was last compared with the warehouse (ISO 8601, UTC), as the warehouse has it too.
        listed_at: When it was last listed.
        must_read: Each object has to be read, since something may hide a missing row.
        accounted: How many objects until the cut have a row or reject, if a reading of all objects is under way.
    """

    objects: int = 0
    digest: str = ""
    cut: int = 0
    settled: str = ""
    exceptions: Exceptions = Exceptions()
    surplus: int = 0
    waiting: tuple[str, ...] = ()
    complete: bool = False
    checked_at: str = ""
    listed_at: str = ""
    must_read: bool = False
    accounted: int | None = None

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "Seen":
        """Read what `as_json` gave. Raises TypeError or KeyError if it is something else."""
        exceptions, waiting = Exceptions(**members["exceptions"]), tuple(members["waiting"])
        return cls(**{**members, "exceptions": exceptions, "waiting": waiting})

    def is_same(self, listing: Listing) -> bool:
        """Whether the listing shows exactly what was listed before."""
        return len(listing.objects) == self.objects and listing.digest() == self.digest

    def is_within(self, listing: Listing) -> bool:
        """Whether all objects until the cut are still there as they were, and no others with such a time."""
        return listing.digest(self.cut) == self.settled


class Memory:
    """The memory of one bucket. What changes is stored by `save`."""

    def __init__(self, storage: Keeping, bucket: str) -> None:
        self._storage = storage
        self._bucket = bucket
        self._days: dict[str, dict[str, Seen]] = {}
        self._changed: set[str] = set()

    def of(self, hour: datetime) -> Seen | None:
        """Give what is known of an hour. Raises StorageUnavailable."""
        return self._day(_key(hour)).get(f"{hour.hour:02}")

    def note(self, hour: datetime, seen: Seen) -> None:
        """Remember what was found of an hour."""
        day = self._day(_key(hour))
        if day.get(f"{hour.hour:02}") != seen:
            day[f"{hour.hour:02}"] = seen
            self._changed.add(_key(hour))

    def forget(self, hour: datetime) -> None:
        """Forget what was found of an hour."""
        if self._day(_key(hour)).pop(f"{hour.hour:02}", None) is not None:
            self._changed.add(_key(hour))

    def save(self) -> None:
        """Store what has changed. Raises StorageUnavailable."""
        for key in sorted(self._changed):
            hours = {hour: asdict(seen) for hour, seen in sorted(self._days[key].items())}
            self._storage.put(self._bucket, key, json.dumps(hours).encode())
        self._changed.clear()

    @property
    def older_since(self) -> tuple[datetime | None, bool]:
        """When the last pass over older hours began, and whether it has ended."""
        found = self._read(OLDER)
        try:
            return datetime.fromisoformat(found["began"]), bool(found["ended"])
        except (KeyError, TypeError, ValueError):
            return None, True

    def note_older(self, began: datetime, *, ended: bool) -> None:
        """Store how far the pass over older hours is. Raises StorageUnavailable."""
        pass_ = {"began": began.astimezone(UTC).isoformat(), "ended": ended}
        self._storage.put(self._bucket, OLDER, json.dumps(pass_).encode())

    def _day(self, key: str) -> dict[str, Seen]:
        if key not in self._days:
            try:
                self._days[key] = {hour: Seen.from_json(members) for hour, members in self._read(key).items()}
            except (AttributeError, KeyError, TypeError):
                self._days[key] = {}  # of another version: its hours are compared once more
        return self._days[key]

    def _read(self, key: str) -> dict[str, Any]:
        try:
            found = json.loads(self._storage.get(self._bucket, key).body)
        except (ObjectGone, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _key(hour: datetime) -> str:
    return f"{FOLDER}{hour.year:04}/{hour.month:02}/{hour.day:02}.json"
