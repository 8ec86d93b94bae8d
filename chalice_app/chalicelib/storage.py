"""The raw bucket in S3: puts, gets and lists objects. No other module of the Lambdas talks to S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import ObjectGone, StorageUnavailable

__all__ = ["Listed", "RawObject", "RawStorage", "s3_client"]

# Three tries of at most 2 + 4 s, and the waits between them, stay below API Gateway's limit of 29 s.
CONFIG = Config(
    connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=50
)

PAGE = 1000  # keys that S3 lists at once, at most


@cache
def s3_client() -> Any:  # noqa: ANN401  # botocore makes its client classes at run time
    """Give this process's S3 client, which is created on first use from the standard `AWS_*` environment."""
    return boto3.client("s3", config=CONFIG)


@dataclass(frozen=True)
class RawObject:
    """One stored object: its bytes, and the time when S3 stored it (aware, UTC)."""

    body: bytes
    last_modified: datetime


class Listed(NamedTuple):
    """One object of a listing: its key, and when S3 stored it (whole seconds since 1970, UTC)."""

    key: str
    stored: int


class RawStorage:
    """Puts, gets and lists objects of S3 by bucket and key, with the given client or this process's own."""

    def __init__(self, client: Any = None) -> None:  # noqa: ANN401  # see s3_client
        self._client = client

    @property
    def client(self) -> Any:  # noqa: ANN401  # see s3_client
        """The S3 client, which is created when it is first needed."""
        return self._client or s3_client()

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store `body`, and return after S3 has confirmed it. Raises StorageUnavailable."""
        try:
            self.client.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
        except (BotoCoreError, ClientError) as error:
            raise StorageUnavailable(f"S3 did not store the event: {_reason(error)}") from error

    def get(self, bucket: str, key: str) -> RawObject:
        """Read one object. Raises ObjectGone if it does not exist, StorageUnavailable if S3 does not give it."""
        try:
            response = self.client.get_object(Bucket=bucket, Key=key)
            return RawObject(response["Body"].read(), response["LastModified"])
        except ClientError as error:
            if _reason(error) == "NoSuchKey":
                raise ObjectGone(f"no object {key} in {bucket}") from error
            raise StorageUnavailable(f"S3 did not give {key}: {_reason(error)}") from error
        except BotoCoreError as error:
            raise StorageUnavailable(f"S3 did not give {key}: {_reason(error)}") from error

    def keys(self, bucket: str, prefix: str, after: str = "") -> Iterator[list[str]]:
        """List the keys that begin with `prefix`, in order, up to 1,000 at once. Raises StorageUnavailable.

        Args:
            bucket: The bucket.
            prefix: What the keys begin with.
            after: Leave out the keys up to this one.
        """
        for page in self._pages(bucket, prefix, StartAfter=after):
            if found := [each["Key"] for each in page.get("Contents", ())]:
                yield found

    def objects(self, bucket: str, prefix: str) -> Iterator[Listed]:
        """List the objects below a prefix in the order of their keys. Raises StorageUnavailable."""
        for page in self._pages(bucket, prefix):
            for each in page.get("Contents", ()):
                yield Listed(each["Key"], int(each["LastModified"].timestamp()))

    def folders(self, bucket: str, prefix: str) -> list[str]:
        """List the prefixes of the next level below a prefix, each with its slash. Raises StorageUnavailable."""
        pages = self._pages(bucket, prefix, Delimiter="/")
        return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]

    def _pages(self, bucket: str, prefix: str, **more: str) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2")
        try:
            yield from pages.paginate(Bucket=bucket, Prefix=prefix, **more, PaginationConfig={"PageSize": PAGE})
        except (BotoCoreError, ClientError) as error:
            raise StorageUnavailable(f"S3 did not list {prefix}: {_reason(error)}") from error


def _reason(error: BotoCoreError | ClientError) -> str:
    """Give S3's error code, or the kind of failure: never a text that could contain a credential."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
