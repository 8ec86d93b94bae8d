"""A stored object, and the S3 notification that it causes, as AWS spells it."""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from chalicelib.envelope import iso_milliseconds
from emulator.servers.environment import REGION

__all__ = ["File", "object_created"]


class File(NamedTuple):
    """One stored object as a file: its key, size in bytes, and time of change in nanoseconds since 1970."""

    key: str
    size: int
    changed: int


def object_created(bucket: str, key: str, size: int) -> dict[str, Any]:
    """One record for one object of `size` bytes; the key is URL-encoded, as in AWS."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": iso_milliseconds(datetime.now(UTC)),
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "clickstream-local",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key, safe="/"), "size": size},
        },
    }
    return {"Records": [record]}
