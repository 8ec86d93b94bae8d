"""The projector: turns every object of an S3 notification into one row of the warehouse, or into a reject."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from chalicelib.errors import ProjectionFailed
from chalicelib.projection.batch import Getting, Loading, Named, project

__all__ = ["handle", "objects"]


def objects(event: Mapping[str, Any]) -> Iterator[Named]:
    """Read the bucket, the URL-decoded key and the size of every record of an S3 event."""
    for record in event.get("Records", ()):
        stored = record["s3"]["object"]
        yield Named(record["s3"]["bucket"]["name"], unquote_plus(stored["key"]), int(stored.get("size", 0)))


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
        The outcome of each object, as `batch.project` gives it.

    Raises:
        ProjectionFailed: An object failed. All others were tried before. Lambda retries the whole event.
    """
    outcomes, errors = project(list(objects(event)), storage, warehouse, price_decimals)
    if errors:
        raise ProjectionFailed(
            f"{len(errors)} of {len(outcomes)} objects could not be projected; the first error: {errors[0]}", outcomes
        ) from errors[0]
    return outcomes
