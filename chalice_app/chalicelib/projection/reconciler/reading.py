"""Reads objects of one hour, tells what became of each, and projects the ones without a row."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote_plus
from uuid import UUID

from chalicelib import log
from chalicelib.contract import EVENT_ID, EVENT_TIMESTAMP
from chalicelib.errors import InvalidEvent, ObjectGone, ProjectionFailed, StorageUnavailable, WarehouseUnavailable
from chalicelib.flatten import flatten
from chalicelib.projection import projector
from chalicelib.projection.reconciler.hours import start_of
from chalicelib.projection.reconciler.memory import Exceptions
from chalicelib.storage import Listed, RawObject, RawStorage
from chalicelib.warehouse.client import Warehouse
from chalicelib.warehouse.hours import Moment

__all__ = ["Place", "Reading"]

READERS = 16
# Objects of one notification: its rows are inserted by one statement.
BATCH = 500
REPEAT, ERASED, BEFORE_HORIZON = Exceptions(repeats=1), Exceptions(erased=1), Exceptions(before_horizon=1)
# Kinds of errors that every further object would meet too.
DOWN = ("WarehouseUnavailable", "CredentialsUnavailable", "OtherPriceDecimals")


@dataclass(frozen=True)
class Place:
    """What is reconciled, and how.

    Attributes:
        bucket: Name of the raw bucket.
        storage: Its objects.
        warehouse: Takes the rows.
        price_decimals: `PRICE_DECIMALS` of the warehouse.
        settle: How old an object is before it should have a row. Until then the projector may still be at it.
        has_time: Whether there is time to go on; else the next run does.
        now: The clock, aware.
        on_outcome: Is told key and outcome of each object that the projector was given.
    """

    bucket: str
    storage: RawStorage
    warehouse: Warehouse
    price_decimals: int = 0
    settle: timedelta = timedelta(minutes=10)
    has_time: Callable[[], bool] = lambda: True
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    on_outcome: Callable[[str, str], None] = lambda _key, _outcome: None


class _Event(NamedTuple):
    """A valid object: where it was listed, what it holds, and the id and time of its row."""

    listed: Listed
    raw: RawObject
    id: UUID
    at: datetime


@dataclass
class Reading:
    """What became of the objects of one hour that were read. Each list has the times when the objects were stored.

    Attributes:
        place: Where they are.
        moment: The warehouse when its rows were counted.
        hour: The hour.
        rejects: Keys of the rejects at that moment.
        horizon: Since when the warehouse keeps rows; None for all.
        listed_at: When the objects were listed.
        accounted: Objects that had a row in this hour, or a reject, at that moment.
        gained: Objects that have one since.
        exceptions: Objects that add nothing to the rows of this hour, each with what it counts as.
        waiting: Objects that have no row yet, by key.
        missing: How many had none though they should have.
        projected: How many of these became rows.
        rejected: How many of these became rejects.
        recovered: Objects that are events now, and were rejects before: they count as both.
        keys: Keys of all objects that were read.
    """

    place: Place
    moment: Moment
    hour: datetime
    rejects: frozenset[str]
    horizon: datetime | None
    listed_at: datetime
    accounted: list[int] = field(default_factory=list)
    gained: list[int] = field(default_factory=list)
    exceptions: list[tuple[int, Exceptions]] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    projected: int = 0
    rejected: int = 0
    recovered: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    _ids: set[UUID] = field(default_factory=set)

    @property
    def settled(self) -> float:
        """Objects that were stored until then (seconds since 1970) should have a row."""
        return (self.listed_at - self.place.settle).timestamp()

    @property
    def found(self) -> int:
        """How many objects the rows and rejects of this hour did not account for at that moment."""
        return len(self.gained) + len(self.exceptions) + len(self.waiting)

    def read(self, objects: Sequence[Listed]) -> None:
        """Read these objects. One that S3 does not give waits. Raises WarehouseUnavailable."""
        self.keys.update(listed.key for listed in objects)
        lacking: list[tuple[Listed, RawObject, UUID | None, datetime]] = []
        events: list[_Event] = []
        with ThreadPoolExecutor(READERS) as pool:
            for listed, raw in zip(objects, pool.map(self._get, objects), strict=True):
                if raw is None:
                    self.waiting[listed.key] = listed.stored  # the next listing does not have it
                elif isinstance(raw, StorageUnavailable):
                    log.write("reconciler", "unreadable", level="ERROR", key=listed.key, error=str(raw))
                    self.waiting[listed.key] = listed.stored
                    self.missing += listed.stored <= self.settled
                elif (event := self._event(listed, raw)) is not None:
                    events.append(event)
                    self.recovered += [listed.stored] if listed.key in self.rejects else []
                elif listed.key in self.rejects:
                    self.accounted.append(listed.stored)
                else:
                    lacking.append((listed, raw, None, self.hour))
        known = self.moment.known([(event.id, event.at) for event in events])
        for event, is_same in zip(events, known, strict=True):
            if is_same is not None:
                self._has_row(event.listed, event.id, event.at, is_source=is_same)
            elif self.horizon is not None and event.at < self.horizon:
                self._except(event.listed, BEFORE_HORIZON)
            else:
                lacking.append((event.listed, event.raw, event.id, event.at))
        # Of two objects of one event, the one that was stored first becomes the row.
        lacking.sort(key=lambda each: each[0].stored)
        old = [each for each in lacking if each[0].stored <= self.settled]
        self.waiting |= {listed.key: listed.stored for listed, *_ in lacking if listed.stored > self.settled}
        self.missing += len(old)
        for start in range(0, len(old), BATCH):
            self._project(old[start : start + BATCH])

    def exceptions_until(self, cut: float) -> Exceptions:
        """Add up the exceptions among the objects that were stored until a time."""
        kept = [each for stored, each in self.exceptions if stored <= cut]
        elsewhere: Counter[str] = Counter()
        for each in kept:
            elsewhere.update(each.elsewhere)
        return Exceptions(
            sum(each.repeats for each in kept),
            sum(each.erased for each in kept),
            sum(each.before_horizon for each in kept),
            dict(elsewhere),
        )

    def accounted_until(self, cut: float) -> int:
        """Count the objects with a row in this hour, or a reject, that were stored until a time."""
        return sum(stored <= cut for stored in (*self.accounted, *self.gained))

    def _get(self, listed: Listed) -> RawObject | StorageUnavailable | None:
        try:
            return self.place.storage.get(self.place.bucket, listed.key)
        except ObjectGone:
            return None
        except StorageUnavailable as error:
            return error

    def _event(self, listed: Listed, raw: RawObject) -> _Event | None:
        try:
            row = flatten(raw.body, listed.key, raw.last_modified, self.place.price_decimals)
        except InvalidEvent:
            return None
        event_id, at = row[EVENT_ID], row[EVENT_TIMESTAMP]
        if not isinstance(event_id, UUID) or not isinstance(at, datetime):
            raise TypeError("every row has an id and a time")
        return _Event(listed, raw, event_id, at)

    def _has_row(self, listed: Listed, event_id: UUID, at: datetime, *, is_source: bool, is_new: bool = False) -> None:
        """Note an object whose event has a row; that row comes from this object if it has the same time."""
        if not is_source or event_id in self._ids:
            self._except(listed, REPEAT)
            return
        self._ids.add(event_id)
        if start_of(at) != self.hour:
            self._except(listed, Exceptions(elsewhere={start_of(at).isoformat(): 1}))
        elif is_new:
            self.gained.append(listed.stored)
        else:
            self.accounted.append(listed.stored)

    def _except(self, listed: Listed, what: Exceptions) -> None:
        self.exceptions.append((listed.stored, what))

    def _project(self, lacking: Sequence[tuple[Listed, RawObject, UUID | None, datetime]]) -> None:
        """Give objects to the projector, and note what became of each. Raises WarehouseUnavailable."""
        event = _notification(self.place.bucket, (listed.key for listed, *_ in lacking))
        storage = _Read({listed.key: raw for listed, raw, *_ in lacking})
        outcomes: Sequence[Mapping[str, Any]]
        try:
            outcomes = projector.handle(event, storage, self.place.warehouse, self.place.price_decimals)
        except ProjectionFailed as error:
            outcomes = error.outcomes
        for (listed, _, event_id, at), outcome in zip(lacking, outcomes, strict=True):
            what = outcome["outcome"]
            self.place.on_outcome(listed.key, what)
            if what == "projected" and event_id is not None:
                self.projected += 1
                self._has_row(listed, event_id, at, is_source=True, is_new=True)
            elif what == "rejected":
                self.rejected += 1
                self.gained.append(listed.stored)
            elif what == "erased":
                self._except(listed, ERASED)
            elif what == "already_known" and event_id in self._ids:
                self._except(listed, REPEAT)
            else:  # failed, or somebody else has just inserted it: the next look tells
                self.waiting[listed.key] = listed.stored
        down = [outcome for outcome in outcomes if outcome.get("kind") in DOWN]
        if down:
            raise WarehouseUnavailable(str(down[0]["error"]))


class _Read:
    """Gives the projector objects that were read already."""

    def __init__(self, objects: dict[str, RawObject]) -> None:
        self._objects = objects

    def get(self, bucket: str, key: str) -> RawObject:
        """Give one of the objects."""
        del bucket
        return self._objects[key]


def _notification(bucket: str, keys: Iterable[str]) -> dict[str, Any]:
    """Make the S3 event of these objects."""
    records = [{"s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}}} for key in keys]
    return {"Records": records}
