"""A stored object as a file, and the S3 notification that it causes."""

import os
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from chalicelib.envelope import iso_milliseconds
from chalicelib.keys import PREFIX, SUFFIX
from emulator.servers.environment import REGION
from emulator.servers.s3 import UPLOAD

__all__ = ["File", "object_at", "object_created", "objects_created"]


class File(NamedTuple):
    """One stored object as a file: its key, its size in bytes, its time of change in nanoseconds since 1970 (UTC)."""

    key: str
    size: int
    changed: int


def object_at(bucket: str, path: str) -> File | None:
    """Return the object that a file below the bucket's directory is; None if S3 would send no notification for it."""
    key = path.removeprefix(f"{bucket}{os.sep}")  # much quicker than relpath, which would take most of a sweep's time
    if not key.startswith(PREFIX) or not key.endswith(SUFFIX) or f"/{UPLOAD}" in key:
        return None
    try:
        key.encode()
        status = os.stat(path)
    except (OSError, UnicodeEncodeError):
        return None  # deleted, not readable, or with a name that no S3 key can have
    # The time of change, not of modification: a copy may keep the latter.
    return File(key, status.st_size, status.st_ctime_ns) if stat.S_ISREG(status.st_mode) else None


def object_created(bucket: str, key: str, size: int) -> dict[str, Any]:
    """Return the notification for one object of `size` bytes, as AWS sends it: one record, its key URL-encoded."""
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


def objects_created(bucket: str, files: Iterable[File]) -> dict[str, Any]:
    """Return one notification for several objects, in their order: S3's own form, which allows several records."""
    return {"Records": [record for file in files for record in object_created(bucket, file.key, file.size)["Records"]]}
