"""The projector: turns every object of an S3 notification into one row of the warehouse, or into a reject.

It also upgrades the warehouse when it is asked to, since often nothing else can reach that.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from chalicelib import log
from chalicelib.errors import ProjectionFailed
from chalicelib.projection.batch import Getting, Loading, Named, project

__all__ = ["handle", "objects", "upgrade_event"]


def objects(event: Mapping[str, Any]) -> Iterator[Named]:
    """Read the bucket, the URL-decoded key and the size of every record of an S3 event."""
    for record in event.get("Records", ()):
        stored = record["s3"]["object"]
        yield Named(record["s3"]["bucket"]["name"], unquote_plus(stored["key"]), int(stored.get("size", 0)))


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
        The outcome of each object, as `batch.project` gives it. For an upgrade one mapping, as `_upgrade` gives it.

    Raises:
        ProjectionFailed: An object failed. All others were tried before. Lambda retries the whole event.
        UpgradeRefused: The projector's role may not change the warehouse's tables, or its tombstones are gone.
        OtherPriceDecimals: The prices of the warehouse that is to be upgraded have other decimals.
        WarehouseUnavailable: The warehouse that is to be upgraded does not answer.
    """
    if "upgrade" in event:
        return [_upgrade(warehouse, dry_run=event["upgrade"]["dryRun"])]
    outcomes, errors = project(list(objects(event)), storage, warehouse, price_decimals)
    if errors:
        raise ProjectionFailed(
            f"{len(errors)} of {len(outcomes)} objects could not be projected; the first error: {errors[0]}", outcomes
        ) from errors[0]
    return outcomes


def _upgrade(warehouse: Loading, *, dry_run: bool) -> dict[str, Any]:
    """Upgrade the warehouse; give its version before, the version of this code, and the SQL that ran or would run."""
    done = warehouse.upgrade(dry_run=dry_run)
    outcome = {"outcome": "would_upgrade" if dry_run else "upgraded", **done.as_json()}
    log.write("projector", **outcome)
    return outcome
