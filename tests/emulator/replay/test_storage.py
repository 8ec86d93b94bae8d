from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto import mock_aws

from command_line.errors import CommandError
from emulator.replay.storage import S3Storage


class TestS3Storage:
    """A bucket, listed."""

    @contextmanager
    def bucket(self, *keys: str) -> Iterator[S3Storage]:
        """A pretend bucket with these objects."""
        with mock_aws():
            client = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
            client.create_bucket(Bucket="raw")
            for key in keys:
                client.put_object(Bucket="raw", Key=key, Body=b"{}")
            yield S3Storage(client, "raw")

    def test_keys_are_those_under_the_prefix(self) -> None:
        """Other hours are not listed, and an empty hour has no keys."""
        with self.bucket("a/1", "a/2", "b/1") as storage:
            assert list(storage.keys("a/")) == ["a/1", "a/2"]
            assert list(storage.keys("c/")) == []

    def test_all_pages_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """More than the objects of one answer are seen."""
        monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
        with self.bucket("a/1", "a/2", "a/3", "a/4", "a/5") as storage:
            assert len(list(storage.keys("a/"))) == 5

    def test_missing_bucket_is_one_line(self) -> None:
        """What S3 answers becomes an error of ours."""
        with self.bucket() as storage:
            storage._bucket = "other"
            with pytest.raises(CommandError, match=r"cannot list s3://other: .*NoSuchBucket"):
                list(storage.keys("a/"))
