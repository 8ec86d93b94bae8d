"""Compares one hour of raw with its rows: by counts, and by reading objects only if the counts differ.

The warehouse has no keys, so an hour's rows are found by their time, `event_timestamp`. That is the time of receipt,
and ingest stores an object in the hour of its receipt. So the objects of an hour are as many as its rows and rejects
and the exceptions that were found before. Any difference makes this module read, the newest objects first, until it has
found as many objects without a row of this hour as the counts say there are.

A few things could hide a missing row behind a count that fits, and each makes objects be read once more:

- An object was deleted, and its row stayed. The digest of the listing shows it.
- An object that was put by hand into another hour has its row in this one. Its own hour has one row too few, so it is
  found there, and then this hour is read. A ring of such hours cannot hide anything, since their objects and rows would
  be equal in number.
- An object is still a reject, and is an event now, since somebody has overwritten it. New rejects are always read.
- Rows came between listing and counting. So rows are counted first, and objects are listed afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from chalicelib.projection.reconciler.hours import prefix_of
from chalicelib.projection.reconciler.listing import Listing, listing_of
from chalicelib.projection.reconciler.memory import Exceptions, Seen
from chalicelib.projection.reconciler.reading import Place, Reading
from chalicelib.storage import Listed
from chalicelib.warehouse.hours import HourRecord, Moments

__all__ = ["Compared", "compare"]

CHUNK = 500
# Objects that are on their way to the warehouse are the newest.
NEWEST = 5000
# An object may appear so late with an earlier time: S3's clock, and puts that take long.
SAFE_SECONDS = 60
# So many keys of waiting objects are remembered.
MOST_WAITING = 1000


class Compared(NamedTuple):
    """What was found of one hour.

    Attributes:
        seen: For the memory.
        record: For the warehouse; None if the hour is before its horizon.
        missing: How many objects should have had a row, and had none.
        projected: How many of these became rows.
    """

    seen: Seen
    record: HourRecord | None
    missing: int = 0
    projected: int = 0


def compare(place: Place, moments: Moments, hour: datetime, seen: Seen | None) -> Compared:
    """Compare one hour, project what is missing, and say what was found.

    Args:
        place: What is reconciled.
        moments: The warehouse.
        hour: The start of the hour, UTC.
        seen: What was found of it before; None if it was never looked at.

    Raises:
        StorageUnavailable: S3 fails.
        WarehouseUnavailable: The warehouse fails.
    """
    prefix = prefix_of(hour)
    with moments.now() as moment:
        rows, rejects, horizon = moment.rows(hour), moment.rejects(place.bucket, prefix), moment.horizon()
        listed_at = place.now()
        listing = listing_of(place.storage.objects(place.bucket, prefix))
        if horizon is not None and hour < horizon:
            kept = Seen(len(listing.objects), listing.digest(), complete=True, listed_at=listed_at.isoformat())
            return Compared(kept, None)
        reading = Reading(place, moment, hour, rejects, horizon, listed_at)
        return _Hour(reading, listing, rows, seen).compare()


class _Hour:
    """One comparison."""

    def __init__(self, reading: Reading, listing: Listing, rows: int, seen: Seen | None) -> None:
        self._reading = reading
        self._listing = listing
        self._is_first = seen is None
        self._seen = seen or Seen()
        self._rejected = len(reading.rejects.intersection(each.key for each in listing.objects))
        self._explained = rows + self._rejected  # by the counts of the warehouse
        self._safe = int(reading.listed_at.timestamp()) - SAFE_SECONDS

    def compare(self) -> Compared:
        """Read as little as the counts allow."""
        seen = self._seen
        is_trusted = self._is_first or seen.is_within(self._listing)
        if is_trusted and seen.accounted is not None:
            return self._read_all(seen)  # goes on where a run before had no more time
        if not is_trusted or seen.must_read:
            return self._read_all(Seen(accounted=0))
        return self._read_some(seen)

    def _read_some(self, seen: Seen) -> Compared:
        """Read until as many objects are found as the counts leave without a row."""
        reading, count = self._reading, len(self._listing.objects)
        unread = self._unread(seen)
        overdue = {each.key for each in self._waited(seen) if each.stored <= reading.settled}
        reading.read([each for each in unread if each.key in reading.rejects or each.key in overdue])
        unread = [each for each in unread if each.key not in reading.keys]
        lacking = count - (self._explained + seen.exceptions.total - seen.surplus - len(reading.recovered))
        cut = seen.cut
        for chunk, is_newest in _chunks(unread, NEWEST if lacking < min(len(unread), NEWEST) else 0):
            if reading.found >= lacking:
                break
            is_backlog = not is_newest and chunk[0].stored > reading.settled  # the projector is still at it
            if is_backlog or not reading.place.has_time():
                return self._again(seen) if reading.recovered else self._part(seen, cut)
            reading.read(chunk)
            if not is_newest:
                cut = max(cut, min(chunk[-1].stored, self._safe))
        if reading.found == lacking:  # so everything else has a row
            return self._done(seen, seen.surplus + len(reading.recovered))
        if len(reading.keys) == count:
            return self._done(seen, self._explained - len(reading.accounted))
        return self._again(seen)

    def _again(self, seen: Seen) -> Compared:
        """Let everything be read next time, since something is not as the memory has it."""
        return self._end(replace(seen, must_read=True, accounted=None, complete=False), seen.exceptions)

    def _read_all(self, seen: Seen) -> Compared:
        """Read every object, the oldest first, from where `seen` has come to."""
        reading, accounted, cut = self._reading, seen.accounted or 0, seen.cut
        for chunk, _ in _chunks(self._unread(seen), newest=0):
            if not reading.place.has_time():
                part = self._part(seen, cut)
                accounted += reading.accounted_until(part.seen.cut)
                return part._replace(seen=replace(part.seen, must_read=True, accounted=accounted))
            reading.read(chunk)
            cut = max(cut, min(chunk[-1].stored, self._safe))
        return self._done(seen, self._explained - accounted - len(reading.accounted))

    def _unread(self, seen: Seen) -> Sequence[Listed]:
        """Give the objects that are not accounted for, the oldest first."""
        waiting = set(seen.waiting)
        unread = [each for each in self._listing.objects if each.stored > seen.cut or each.key in waiting]
        return sorted(unread, key=lambda each: each.stored)

    def _waited(self, seen: Seen) -> list[Listed]:
        waiting = set(seen.waiting)
        return [each for each in self._listing.objects if each.key in waiting]

    def _done(self, seen: Seen, surplus: int) -> Compared:
        """End a comparison that has accounted for every object but for the waiting ones."""
        reading = self._reading
        kept, cut = _kept(reading.waiting, max(seen.cut, self._safe))
        exceptions = seen.exceptions.and_also(reading.exceptions_until(cut))
        surplus -= sum(stored > cut for stored in reading.recovered)  # the next look counts them again
        done = Seen(cut=cut, exceptions=exceptions, surplus=surplus, waiting=kept, complete=not reading.waiting)
        return self._end(done, seen.exceptions)

    def _part(self, seen: Seen, cut: int) -> Compared:
        """End a comparison early; what was stored until the cut is accounted for."""
        reading = self._reading
        unread = {each.key: each.stored for each in self._waited(seen) if each.key not in reading.keys}
        kept, cut = _kept(unread | reading.waiting, cut)
        exceptions = seen.exceptions.and_also(reading.exceptions_until(cut))
        return self._end(replace(seen, cut=cut, exceptions=exceptions, waiting=kept, complete=False), seen.exceptions)

    def _end(self, seen: Seen, before: Exceptions) -> Compared:
        """Give what was found; `before` are the exceptions that were known and not read again."""
        reading, listing = self._reading, self._listing
        count, digest, at = len(listing.objects), listing.digest(), reading.listed_at
        found = before.and_also(reading.exceptions_until(float("inf")))
        rejects = self._rejected + reading.rejected
        others = rejects + found.repeats + found.erased + found.before_horizon
        new_rows = len(reading.gained) - reading.rejected
        rows = self._explained - self._rejected - seen.surplus + new_rows + sum(found.elsewhere.values())
        record = HourRecord(
            reading.hour,
            count,
            count - others if seen.complete else min(count, max(0, rows)),
            rejects,
            found.repeats,
            found.erased,
            found.before_horizon,
            digest,
            at,
            seen.complete,
        )
        settled = listing.digest(seen.cut)
        written = at.isoformat()
        seen = replace(seen, objects=count, digest=digest, settled=settled, checked_at=written, listed_at=written)
        return Compared(seen, record, reading.missing, reading.projected)


def _kept(waiting: Mapping[str, int], cut: int) -> tuple[tuple[str, ...], int]:
    """Give the keys of waiting objects to remember; of too many, the first, and an earlier cut for the others."""
    keys = sorted(waiting, key=lambda key: waiting[key])
    if len(keys) > MOST_WAITING:
        cut = min(cut, waiting[keys[MOST_WAITING]] - 1)
    return tuple(keys[:MOST_WAITING]), cut


def _chunks(objects: Sequence[Listed], newest: int) -> Iterator[tuple[Sequence[Listed], bool]]:
    """Give the objects in parts: so many of the newest ones first, from the end; then the others from the beginning.

    Objects that were stored in the same second stay together. The second member says whether a part is of the newest.
    """
    end = len(objects)
    while end > max(0, len(objects) - newest):
        start = max(0, end - CHUNK)
        yield objects[start:end], True
        end = start
    start = 0
    while start < end:
        stop = min(start + CHUNK, end)
        while stop < end and objects[stop].stored == objects[stop - 1].stored:
            stop += 1
        yield objects[start:stop], False
        start = stop
