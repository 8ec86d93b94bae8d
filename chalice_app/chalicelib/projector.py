"""The projector: turns every object of an S3 notification into one row of the warehouse, or into a reject."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote_plus

from chalicelib import log
from chalicelib.contract import EVENT_ID, EVENT_TIMESTAMP, Value
from chalicelib.errors import (
    ClickstreamError,
    InternalError,
    InvalidEvent,
    ObjectGone,
    ProjectionFailed,
    RowRefused,
    WarehouseUnavailable,
)
from chalicelib.flatten import Row, flatten
from chalicelib.keys import require_hour
from chalicelib.storage import RawObject

__all__ = ["handle", "objects"]

_T = TypeVar("_T")


class Getting(Protocol):
    """A storage that gives raw objects."""

    def get(self, bucket: str, key: str) -> RawObject:
        """Read one object, or raise ObjectGone or StorageUnavailable."""


class Loading(Protocol):
    """A warehouse that takes rows and rejects."""

    def insert(self, row: Row) -> bool:
        """Insert the row; False if it is there already, or its person was erased. Raises WarehouseUnavailable."""

    def insert_all(self, rows: Sequence[Row]) -> list[bool]:
        """Insert all rows or none; give for each what `insert` gives. Raises RowRefused or WarehouseUnavailable."""

    def is_known(self, event_id: Value) -> bool:
        """Whether there is a row with this event id. Raises WarehouseUnavailable."""

    def reject(self, bucket: str, key: str, reason: str) -> None:
        """Record an object that can never become a row. Raises WarehouseUnavailable."""


def objects(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Read the bucket and the URL-decoded key of every record of an S3 event."""
    for record in event.get("Records", ()):
        yield record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])


def handle(
    event: Mapping[str, Any], storage: Getting, warehouse: Loading, price_decimals: int = 0
) -> list[dict[str, Any]]:
    """Project every object of one S3 event, and log one outcome per object. It is safe to repeat.

    Args:
        event: The S3 event.
        storage: Gives the raw objects.
        warehouse: Takes rows and rejects.
        price_decimals: `PRICE_DECIMALS` of the warehouse.

    Returns:
        One mapping per object: `bucket`, `key`, `outcome` and more. The outcomes are `projected`, `already_known`,
        `erased` (the warehouse refuses events of this person, who was erased), `rejected` (the object is not a JSON
        object, or in no hour) and `gone` (the object does not exist any more).

    Raises:
        ProjectionFailed: An object failed. All others were tried before. Lambda retries the whole event.
    """
    named = list(objects(event))
    read = [_attempt(_read, bucket, key, storage, price_decimals) for bucket, key in named]
    inserted = iter(_insert([row for row in read if not isinstance(row, ClickstreamError)], warehouse))
    outcomes = []
    failed = []
    for (bucket, key), row in zip(named, read, strict=True):
        found = row if isinstance(row, ClickstreamError) else next(inserted)
        outcome = _attempt(_outcome, bucket, key, found, warehouse)
        if isinstance(outcome, ClickstreamError):
            failed.append(outcome)
            outcome = {"outcome": "failed", "level": "ERROR", "error": str(outcome), "kind": type(outcome).__name__}
        outcomes.append({"bucket": bucket, "key": key, **outcome})
        log.write("projector", **outcomes[-1])
    if failed:
        raise ProjectionFailed(
            f"{len(failed)} of {len(outcomes)} objects could not be projected; the first error: {failed[0]}", outcomes
        ) from failed[0]
    return outcomes


def _attempt(work: Callable[..., _T], *arguments: Any) -> _T | ClickstreamError:  # noqa: ANN401  # those of `work`
    """Call `work`, and give its error instead of raising it, so that the other objects go on."""
    try:
        return work(*arguments)
    except ClickstreamError as error:
        return error
    except Exception as error:  # noqa: BLE001  # an unforeseen error must not stop the other objects
        return InternalError(log.where(error))


def _read(bucket: str, key: str, storage: Getting, price_decimals: int) -> Row:
    raw = storage.get(bucket, key)
    require_hour(key)
    return flatten(raw.body, key, raw.last_modified, price_decimals)


def _insert(rows: Sequence[Row], warehouse: Loading) -> list[tuple[Row, bool] | ClickstreamError]:
    """Insert the rows together; one by one if the warehouse refuses one of them.

    Several rows in one transaction cost little more than one row does.

    Returns:
        For each row either the row and what `insert` returns, or the error.
    """
    if len(rows) > 1:
        together = _attempt(warehouse.insert_all, rows)
        if isinstance(together, list):
            return list(zip(rows, together, strict=True))
        if isinstance(together, WarehouseUnavailable) and not isinstance(together, RowRefused):
            return [together] * len(rows)  # each further try could wait for the same timeout
    return [_attempt(lambda row: (row, warehouse.insert(row)), row) for row in rows]


def _outcome(bucket: str, key: str, found: tuple[Row, bool] | ClickstreamError, warehouse: Loading) -> dict[str, Any]:
    """Give the outcome of one object: of its row and whether that is new, or of the error in their place."""
    if isinstance(found, ObjectGone):
        return {"outcome": "gone", "level": "WARNING"}
    if isinstance(found, InvalidEvent):
        warehouse.reject(bucket, key, str(found))
        return {"outcome": "rejected", "level": "WARNING", "reason": str(found)}
    if isinstance(found, ClickstreamError):
        raise found
    row, is_new = found
    outcome = "projected"
    if not is_new:
        # If there is no such row, the warehouse refused the event because its person was erased.
        outcome = "already_known" if warehouse.is_known(row[EVENT_ID]) else "erased"
    return {"outcome": outcome, "event_id": str(row[EVENT_ID]), "lag_seconds": _lag(row)}


def _lag(row: Row) -> float:
    """Give the seconds since the event was received; negative if the clock behind that time is ahead."""
    received_at = row[EVENT_TIMESTAMP]
    if not isinstance(received_at, datetime):
        raise TypeError("event_timestamp is always a time")
    return round((datetime.now(UTC) - received_at).total_seconds(), 3)
