"""The projector: turns every object of an S3 notification into one row of the warehouse, or into a reject.

It also upgrades the warehouse when it is asked to, since often nothing else can reach that.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_plus

from chalicelib import log
from chalicelib.contract import EVENT_ID, EVENT_TIMESTAMP, Value
from chalicelib.errors import ClickstreamError, InternalError, InvalidEvent, ObjectGone, ProjectionFailed
from chalicelib.flatten import Row, flatten
from chalicelib.storage import RawObject

if TYPE_CHECKING:
    # Ingest imports this module too, and must not pay for loading the database driver.
    from chalicelib.warehouse.schema import Upgrade

__all__ = ["handle", "objects", "upgrade_event"]


class Getting(Protocol):
    """A storage that gives raw objects."""

    def get(self, bucket: str, key: str) -> RawObject:
        """Read one object, or raise ObjectGone or StorageUnavailable."""


class Loading(Protocol):
    """A warehouse that takes rows and rejects."""

    def insert(self, row: Row) -> bool:
        """Insert the row; False if the warehouse has it already or refuses it. Raises WarehouseUnavailable."""

    def is_known(self, event_id: Value) -> bool:
        """Whether there is a row with this event id. Raises WarehouseUnavailable."""

    def reject(self, bucket: str, key: str, reason: str) -> None:
        """Record an object that can never become a row. Raises WarehouseUnavailable."""

    def upgrade(self, *, dry_run: bool) -> "Upgrade":
        """Add the tables and columns that are missing. Raises UpgradeRefused or WarehouseUnavailable."""


def objects(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Read the bucket and the URL-decoded key of every record of an S3 event."""
    for record in event.get("Records", ()):
        yield record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])


def upgrade_event(*, dry_run: bool) -> dict[str, Any]:
    """Make the event that asks the projector to upgrade its warehouse; with `dry_run`, only to say what it would do."""
    # Chalice reads the first record of every event, so there is one, which names nothing.
    record = {"s3": {"bucket": {"name": "none"}, "object": {"key": "none"}}}
    return {"upgrade": {"dryRun": dry_run}, "Records": [record]}


def handle(
    event: Mapping[str, Any], storage: Getting, warehouse: Loading, price_decimals: int = 0
) -> list[dict[str, Any]]:
    """Project every object of one S3 event, and log one outcome per object. It is safe to repeat.

    Args:
        event: The S3 event, or an `upgrade_event`, which upgrades the warehouse.
        storage: Gives the raw objects.
        warehouse: Takes rows and rejects.
        price_decimals: `PRICE_DECIMALS` of the warehouse.

    Returns:
        One mapping per object: `bucket`, `key`, `outcome` and more. The outcomes are `projected`, `already_known`,
        `erased` (the warehouse refuses events of this person, who was erased), `rejected` (the object is not a JSON
        object) and `gone` (the object does not exist any more). For an upgrade one mapping, as `_upgrade` gives it.

    Raises:
        ProjectionFailed: An object failed. All others were tried before. Lambda retries the whole event.
        UpgradeRefused: The projector's role may not change the warehouse's tables, or its tombstones are gone.
        OtherPriceDecimals: The prices of the warehouse that is to be upgraded have other decimals.
        WarehouseUnavailable: The warehouse that is to be upgraded does not answer.
    """
    if "upgrade" in event:
        return [_upgrade(warehouse, dry_run=event["upgrade"]["dryRun"])]
    outcomes = []
    failed = []
    for bucket, key in objects(event):
        try:
            outcome = _project(bucket, key, storage, warehouse, price_decimals)
        except ClickstreamError as error:
            outcome = {"outcome": "failed", "level": "ERROR", "error": str(error)}
            failed.append(error)
        except Exception as error:  # noqa: BLE001  # an unforeseen error must not stop the other objects
            outcome = {"outcome": "failed", "level": "ERROR", "error": log.where(error)}
            failed.append(InternalError(log.where(error)))
        outcomes.append({"bucket": bucket, "key": key, **outcome})
        log.write("projector", **outcomes[-1])
    if failed:
        raise ProjectionFailed(
            f"{len(failed)} of {len(outcomes)} objects could not be projected; the first error: {failed[0]}"
        ) from failed[0]
    return outcomes


def _upgrade(warehouse: Loading, *, dry_run: bool) -> dict[str, Any]:
    """Upgrade the warehouse; give its version before, the version of this code, and the SQL that ran or would run."""
    done = warehouse.upgrade(dry_run=dry_run)
    outcome = {"outcome": "would_upgrade" if dry_run else "upgraded", **done.as_json()}
    log.write("projector", **outcome)
    return outcome


def _project(bucket: str, key: str, storage: Getting, warehouse: Loading, price_decimals: int) -> dict[str, Any]:
    """Project one object, and give its outcome."""
    try:
        raw = storage.get(bucket, key)
        row = flatten(raw.body, key, raw.last_modified, price_decimals)
    except ObjectGone:
        return {"outcome": "gone", "level": "WARNING"}
    except InvalidEvent as error:
        warehouse.reject(bucket, key, str(error))
        return {"outcome": "rejected", "level": "WARNING", "reason": str(error)}
    if warehouse.insert(row):
        outcome = "projected"
    else:
        # If there is no such row, the warehouse refused the event because its person was erased.
        outcome = "already_known" if warehouse.is_known(row[EVENT_ID]) else "erased"
    return {"outcome": outcome, "event_id": str(row[EVENT_ID]), "lag_seconds": _lag(row)}


def _lag(row: Row) -> float:
    """Give the seconds since the event was received; negative if the clock behind that time is ahead."""
    received_at = row[EVENT_TIMESTAMP]
    if not isinstance(received_at, datetime):
        raise TypeError("event_timestamp is always a time")
    return round((datetime.now(UTC) - received_at).total_seconds(), 3)
