"""One run of the reconciler: lists the hours that are due, compares the changed ones, and logs its metrics.

A run ends when its time is nearly over, and the next one goes on. The newest hours come first.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from chalicelib import log
from chalicelib.errors import ClickstreamError
from chalicelib.keys import PREFIX
from chalicelib.projection.reconciler.compare import compare
from chalicelib.projection.reconciler.hours import (
    HOUR,
    RECENT,
    hour_of_prefix,
    is_due,
    prefix_of,
    recent_hours,
    start_of,
)
from chalicelib.projection.reconciler.listing import listing_of
from chalicelib.projection.reconciler.memory import Memory, Seen
from chalicelib.projection.reconciler.reading import Place
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage
from chalicelib.warehouse.client import open_warehouse
from chalicelib.warehouse.hours import HourTable, Moments, moments

__all__ = ["METRICS", "Reconciled", "handle", "reconcile"]

DAY = timedelta(days=1)
LISTERS = 8
# Enough to end the part that is under way, and to store what was found.
RESERVE_MILLISECONDS = 40_000
# Names in CloudWatch, each with the member of `Reconciled`.
METRICS = {"ObjectsWithoutRow": "missing", "HoursNotComplete": "not_complete"}


class Invocation(Protocol):
    """Lambda's context of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Give the milliseconds until Lambda ends the invocation."""


@dataclass
class Reconciled:
    """What one run found.

    Attributes:
        listed: How many hours it listed.
        compared: How many of them it compared with the warehouse.
        missing: How many objects should have had a row, and had none.
        projected: How many of these it made rows of.
        not_complete: How many of the last 48 hours that have ended are not complete.
        older_left: Whether older hours are left for the next run.
        seconds: How long it took.
    """

    listed: int = 0
    compared: int = 0
    missing: int = 0
    projected: int = 0
    not_complete: int = 0
    older_left: bool = False
    seconds: float = 0.0


def handle(settings: Settings, storage: RawStorage, invocation: Invocation) -> dict[str, Any]:
    """Reconcile in the time of one invocation; the result is for whoever invokes it by hand. Raises as `reconcile`."""
    place = Place(
        settings.raw_bucket,
        storage,
        open_warehouse(settings),
        settings.price_decimals,
        has_time=lambda: invocation.get_remaining_time_in_millis() > RESERVE_MILLISECONDS,
    )
    return asdict(reconcile(place, settings.metrics_namespace))


def reconcile(place: Place, namespace: str = "clickstream") -> Reconciled:
    """Look at the hours that are due, project what has no row, and record how far each hour is complete.

    It is safe to repeat, and to run beside the projector.

    Args:
        place: What is reconciled.
        namespace: That of the metrics in CloudWatch, such as `clickstream/prod`.

    Raises:
        StorageUnavailable: S3 fails. What was found before is remembered.
        WarehouseUnavailable: The warehouse fails. The same holds.
    """
    began = time.monotonic()
    run = _Run(place, place.now())
    try:
        with run:
            run.recent()
            run.older()
    except ClickstreamError as error:
        log.write("reconciler", "failed", level="ERROR", error=str(error), kind=type(error).__name__)
        raise
    run.done.seconds = round(time.monotonic() - began, 3)
    # The embedded metric format of CloudWatch: a VPC without a way to CloudWatch's API still has its log lines.
    metrics = [{"Name": name, "Unit": "Count"} for name in METRICS]
    described = [{"Namespace": namespace, "Dimensions": [[]], "Metrics": metrics}]
    values = {name: getattr(run.done, member) for name, member in METRICS.items()}
    log.write(
        "reconciler",
        "reconciled",
        hours_listed=run.done.listed,
        hours_compared=run.done.compared,
        projected=run.done.projected,
        seconds=run.done.seconds,
        older_left=run.done.older_left,
        _aws={"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": described},
        **values,
    )
    return run.done


class _Run:
    """The work of one run. At its end the memory is stored, also after an error."""

    def __init__(self, place: Place, now: datetime) -> None:
        self.done = Reconciled()
        self._place = place
        self._now = now
        self._memory = Memory(place.storage, place.bucket)
        self._table = HourTable(place.warehouse)
        self._open = ExitStack()
        self._moments: Moments | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._memory.save()

    def recent(self) -> None:
        """Look at the last 48 hours."""
        hours = recent_hours(self._now)
        changed = self._changed([hour for hour in hours if self._is_due(hour)])
        if changed:
            self._compare(sorted({*changed, *self._forgotten(hours)}, reverse=True))
        # Flagged by an hour that was compared: it has rows of their objects, or they have its.
        flagged = [hour for hour in hours if (seen := self._memory.of(hour)) is not None and seen.must_read]
        self._compare(flagged)
        ended = [self._memory.of(hour) for hour in hours if self._now - (hour + HOUR) >= self._place.settle]
        self.done.not_complete = sum(seen is not None and not seen.complete for seen in ended)

    def older(self) -> None:
        """Look at the hours before, once a day, as far as there is time."""
        began, has_ended = self._memory.older_since
        if began is None or (has_ended and self._now - began >= DAY):
            began, has_ended = self._now, False
            self._memory.note_older(began, ended=False)
        if has_ended:
            return
        due = (hour for hour in self._older_hours() if self._is_due_since(hour, began))
        for group in _groups(due, LISTERS):
            if not self._place.has_time():
                self.done.older_left = True
                return
            self._compare(self._changed(group))
            self._memory.save()
        self._memory.note_older(began, ended=True)

    def _is_due(self, hour: datetime) -> bool:
        seen = self._memory.of(hour)
        return seen is None or not seen.complete or is_due(hour, datetime.fromisoformat(seen.listed_at), self._now)

    def _is_due_since(self, hour: datetime, began: datetime) -> bool:
        """Whether an older hour still has to be looked at in a pass that began then."""
        seen = self._memory.of(hour)
        if seen is None or not seen.listed_at:
            return True
        listed_at = datetime.fromisoformat(seen.listed_at)
        return listed_at < began and (not seen.complete or is_due(hour, listed_at, began))

    def _changed(self, hours: Sequence[datetime]) -> list[datetime]:
        """List these hours, several at once; give the ones that are not complete, or have changed since they were."""
        with ThreadPoolExecutor(LISTERS) as pool:
            same = list(pool.map(self._is_same, hours, [self._memory.of(hour) for hour in hours]))
        self.done.listed += len(hours)
        for hour, is_same in zip(hours, same, strict=True):
            seen = self._memory.of(hour)
            # Of a young hour the time does not matter: it is listed by every run.
            if is_same and seen is not None and self._now - (hour + HOUR) >= HOUR:
                self._memory.note(hour, replace(seen, listed_at=self._now.isoformat()))
        return [hour for hour, is_same in zip(hours, same, strict=True) if not is_same]

    def _is_same(self, hour: datetime, seen: Seen | None) -> bool:
        if seen is not None and not seen.complete:
            return False
        listing = listing_of(self._place.storage.objects(self._place.bucket, prefix_of(hour)))
        return not listing.objects if seen is None else seen.is_same(listing)

    def _forgotten(self, hours: Sequence[datetime]) -> list[datetime]:
        """Forget the hours of which this warehouse does not know what the memory knows, and give them.

        It was restored from a snapshot, or is another one.
        """
        checked = self._table.checked(hours)
        forgotten = []
        for hour in hours:
            seen = self._memory.of(hour)
            if seen is not None and seen.checked_at and checked.get(hour) != datetime.fromisoformat(seen.checked_at):
                self._memory.forget(hour)
                forgotten.append(hour)
        return forgotten

    def _compare(self, hours: Sequence[datetime]) -> None:
        """Compare these hours with the warehouse."""
        for hour in hours:
            if not self._place.has_time():
                return
            if self._moments is None:
                self._table.checked([hour])  # adds the tables if they are missing
                self._moments = self._open.enter_context(moments(self._place.warehouse))
            self._compare_one(hour, self._moments)
            seen = self._memory.of(hour)
            if seen is not None and seen.must_read and self._place.has_time():
                self._compare_one(hour, self._moments)
            self.done.compared += 1

    def _compare_one(self, hour: datetime, asked: Moments) -> None:
        before = self._memory.of(hour)
        found = compare(self._place, asked, hour, before)
        self.done.missing += found.missing
        self.done.projected += found.projected
        if found.record is not None:
            self._table.record(found.record)
        known = {} if before is None else before.exceptions.elsewhere
        for other, count in found.seen.exceptions.elsewhere.items():
            if count > known.get(other, 0):
                self._flag(datetime.fromisoformat(other))
        self._memory.note(hour, found.seen)

    def _flag(self, hour: datetime) -> None:
        """Let every object of an hour be read, since it has rows of objects of another hour."""
        self._memory.note(hour, replace(self._memory.of(hour) or Seen(), must_read=True, complete=False))

    def _older_hours(self) -> Iterator[datetime]:
        """Give the hours before the last 48 that raw has, the newest first."""
        first = start_of(self._now) - (RECENT - 1) * HOUR
        level = [PREFIX]
        for _ in ("year", "month"):
            level = self._below(level)
        for month in level:
            for day in self._below([month]):
                for prefix in self._below([day]):
                    hour = hour_of_prefix(prefix)
                    if hour is not None and hour < first:
                        yield hour

    def _below(self, prefixes: Sequence[str]) -> list[str]:
        storage, bucket = self._place.storage, self._place.bucket
        return [each for prefix in prefixes for each in sorted(storage.folders(bucket, prefix), reverse=True)]


def _groups(hours: Iterator[datetime], size: int) -> Iterator[list[datetime]]:
    group: list[datetime] = []
    for hour in hours:
        group.append(hour)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
