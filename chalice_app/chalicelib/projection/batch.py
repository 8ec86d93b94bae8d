"""Projects many objects at once: reads them concurrently, inserts their rows together, and tells how each one fared."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, NamedTuple, Protocol, TypeVar

from chalicelib import log
from chalicelib.contract import EVENT_ID, EVENT_TIMESTAMP
from chalicelib.errors import (
    ClickstreamError,
    InternalError,
    InvalidEvent,
    ObjectGone,
    RowRefused,
    StorageUnavailable,
)
from chalicelib.flatten import Row, flatten
from chalicelib.keys import require_hour
from chalicelib.storage import RawObject

__all__ = ["Getting", "Loading", "Named", "Projected", "attempt", "project"]

# An object takes S3 some 20 ms, and this code 2 ms: more threads than these would wait for the processor.
READERS = 16
# What one transaction inserts. Rows may be as large as objects, and memory is short.
SLICE_OBJECTS = 1_000
SLICE_BYTES = 32 * 1024 * 1024
# After so long nothing more is read: what is read already becomes rows before the function's timeout.
READ_SECONDS = 30.0

_T = TypeVar("_T")


class Named(NamedTuple):
    """An object that a notification names: its bucket, its key, decoded, and its size in bytes."""

    bucket: str
    key: str
    size: int = 0


class Projected(NamedTuple):
    """What came of some objects: one mapping for each, in their order, and the error of each one that failed."""

    outcomes: list[dict[str, Any]]
    errors: list[ClickstreamError]


class Getting(Protocol):
    """A storage that gives raw objects; several threads ask it."""

    def get(self, bucket: str, key: str) -> RawObject:
        """Read one object, or raise ObjectGone or StorageUnavailable."""


class Loading(Protocol):
    """A warehouse that takes rows and rejects."""

    def insert_all(self, rows: Sequence[Row]) -> list[str]:
        """Insert all rows or none; give for each `projected`, `already_known` or `erased`.

        Raises RowRefused or WarehouseUnavailable.
        """

    def reject(self, bucket: str, key: str, reason: str) -> None:
        """Record an object that can never become a row. Raises WarehouseUnavailable."""


def project(named: Sequence[Named], storage: Getting, warehouse: Loading, price_decimals: int = 0) -> Projected:
    """Project objects, and log one outcome per object. It is safe to repeat, and gives the rows of one by one.

    Args:
        named: The objects, in the order in which they count: of two objects with one event id, the first.
        storage: Gives the raw objects.
        warehouse: Takes rows and rejects.
        price_decimals: `PRICE_DECIMALS` of the warehouse.

    Returns:
        The outcome of each object: `bucket`, `key`, `outcome` and more. The outcomes are `projected`, `already_known`,
        `erased` (the warehouse refuses events of this person, who was erased), `rejected` (the object is not a JSON
        object, or in no hour), `gone` (the object does not exist any more) and `failed` (it has to be delivered again).
        An object that fails keeps no other out.
    """
    done = Projected([], [])
    deadline = time.monotonic() + READ_SECONDS
    for part in _slices(named):
        read = _read_all(part, storage, price_decimals, deadline)
        inserted = iter(_insert([row for row in read if not isinstance(row, ClickstreamError)], warehouse))
        found = [row if isinstance(row, ClickstreamError) else next(inserted) for row in read]
        _tell(part, _rejected(part, found, warehouse), done)
    return done


def attempt(work: Callable[..., _T], *arguments: Any) -> _T | ClickstreamError:  # noqa: ANN401  # those of `work`
    """Call `work`, and give its error instead of raising it, so that the other objects go on."""
    try:
        return work(*arguments)
    except ClickstreamError as error:
        return error
    except Exception as error:  # noqa: BLE001  # an unforeseen error must not stop the other objects
        return InternalError(log.where(error))


def _slices(named: Sequence[Named]) -> Iterator[Sequence[Named]]:
    """Divide objects into parts that memory has room for."""
    start = size = 0
    for number, each in enumerate(named):
        if number > start and (number - start == SLICE_OBJECTS or size + each.size > SLICE_BYTES):
            yield named[start:number]
            start, size = number, 0
        size += each.size
    if named:
        yield named[start:]


def _read_all(
    named: Sequence[Named], storage: Getting, price_decimals: int, deadline: float
) -> list[Row | ClickstreamError]:
    """Read objects, several at once, and give for each its row or the error."""
    get = partial(attempt, _get, storage, deadline)
    if len(named) == 1:
        return [_row(named[0], get(named[0]), price_decimals)]
    return [_row(each, raw, price_decimals) for each, raw in zip(named, _readers().map(get, named), strict=True)]


@cache
def _readers() -> ThreadPoolExecutor:
    """Give this process's threads, which are started when they are first needed, since to start them takes longest."""
    return ThreadPoolExecutor(READERS, "reader")


def _get(storage: Getting, deadline: float, named: Named) -> RawObject:
    if time.monotonic() > deadline:
        raise StorageUnavailable(f"S3 is so slow that {named.key} was not read in time")
    return storage.get(named.bucket, named.key)


def _row(named: Named, raw: RawObject | ClickstreamError, price_decimals: int) -> Row | ClickstreamError:
    if isinstance(raw, ClickstreamError):
        return raw
    return attempt(_flatten, named.key, raw, price_decimals)


def _flatten(key: str, raw: RawObject, price_decimals: int) -> Row:
    require_hour(key)
    return flatten(raw.body, key, raw.last_modified, price_decimals)


# What came of an object: its row and the outcome, or the error.
_Found = tuple[Row, str] | ClickstreamError


def _insert(rows: Sequence[Row], warehouse: Loading) -> list[_Found]:
    """Insert rows together; if the warehouse refuses one of them, in halves, and so on down to that row."""
    if not rows:
        return []
    done = attempt(warehouse.insert_all, rows)
    if not isinstance(done, ClickstreamError):
        return list(zip(rows, done, strict=True))
    if len(rows) == 1 or not _is_of_one(done):
        return [done] * len(rows)  # each further try could wait for the same timeout
    half = len(rows) // 2
    first = _insert(rows[:half], warehouse)
    last = first[-1]
    if isinstance(last, ClickstreamError) and not _is_of_one(last):
        return [*first, *[last] * (len(rows) - half)]
    return [*first, *_insert(rows[half:], warehouse)]


def _is_of_one(error: ClickstreamError) -> bool:
    """Whether an error is of one row, so that others may go through."""
    return isinstance(error, RowRefused | InternalError)


def _rejected(named: Sequence[Named], found: Sequence[_Found], warehouse: Loading) -> Iterator[_Found]:
    """Record the rejects among objects; where that fails, give that error in place of the reason for the reject."""
    down: ClickstreamError | None = None
    for (bucket, key, _), each in zip(named, found, strict=True):
        if not isinstance(each, InvalidEvent):
            yield each
            continue
        problem = down or attempt(warehouse.reject, bucket, key, str(each))
        if problem is not None and not _is_of_one(problem):
            down = problem
        yield problem or each


def _tell(named: Sequence[Named], found: Iterator[_Found], done: Projected) -> None:
    """Log the outcome of each object, and add it to what is done."""
    for (bucket, key, _), each in zip(named, found, strict=True):
        outcome = {"bucket": bucket, "key": key, **_outcome(each)}
        if outcome["outcome"] == "failed" and isinstance(each, ClickstreamError):
            done.errors.append(each)
        done.outcomes.append(outcome)
        log.write("projector", **outcome)


def _outcome(found: _Found) -> dict[str, Any]:
    """Give the outcome of one object."""
    if isinstance(found, ObjectGone):
        return {"outcome": "gone", "level": "WARNING"}
    if isinstance(found, InvalidEvent):
        return {"outcome": "rejected", "level": "WARNING", "reason": str(found)}
    if isinstance(found, ClickstreamError):
        return {"outcome": "failed", "level": "ERROR", "error": str(found), "kind": type(found).__name__}
    row, outcome = found
    return {"outcome": outcome, "event_id": str(row[EVENT_ID]), "lag_seconds": _lag(row)}


def _lag(row: Row) -> float:
    """Give the seconds since the event was received; negative if the clock behind that time is ahead."""
    received_at = row[EVENT_TIMESTAMP]
    if not isinstance(received_at, datetime):
        raise TypeError("event_timestamp is always a time")
    return round((datetime.now(UTC) - received_at).total_seconds(), 3)
