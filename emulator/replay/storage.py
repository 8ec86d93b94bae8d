"""The raw storage that a replay looks for objects in."""

from collections.abc import Iterator
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from command_line.errors import CommandError
from command_line.printable import short_line

__all__ = ["S3Storage", "Storage"]


class Storage(Protocol):
    """What a replay asks of the raw storage."""

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys of all objects under the prefix; raises CommandError if storage does not answer."""


class S3Storage:
    """A bucket behind a boto3 S3 client."""

    def __init__(self, client: Any, bucket: str) -> None:  # noqa: ANN401  # boto3 ships no types
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys of all objects under the prefix; raises CommandError if storage does not answer."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        try:
            for page in pages:
                yield from (item["Key"] for item in page.get("Contents", ()))
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"cannot list s3://{self._bucket}: {short_line(str(error))}") from error
