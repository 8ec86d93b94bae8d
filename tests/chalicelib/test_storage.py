from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from chalicelib.errors import ObjectGone, StorageUnavailable
from chalicelib.storage import RawStorage
from command_line.home import BUCKET


class FailingClient:
    """An S3 client of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def put_object(self, **_: Any) -> None:
        raise self._error

    def get_object(self, **_: Any) -> None:
        raise self._error


def refusal(code: str, status: int) -> ClientError:
    """S3's answer with that error code."""
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


FAILURES = [
    refusal("AccessDenied", 403),
    refusal("SlowDown", 503),
    refusal("NoSuchBucket", 404),
    ConnectTimeoutError(endpoint_url="https://s3"),
    ReadTimeoutError(endpoint_url="https://s3"),
    EndpointConnectionError(endpoint_url="https://s3"),
]


class TestPut:
    def test_an_object_is_stored_as_json(self, aws: Any) -> None:
        """Its bytes and its content type."""
        RawStorage(aws).put(BUCKET, "events/a.json", b"{}")
        stored = aws.get_object(Bucket=BUCKET, Key="events/a.json")
        assert stored["Body"].read() == b"{}"
        assert stored["ContentType"] == "application/json"

    @pytest.mark.parametrize("error", FAILURES)
    def test_whatever_s3_does_instead_is_a_failure(self, error: Exception) -> None:
        """Refused, throttled, timed out, not reached, or no such bucket."""
        with pytest.raises(StorageUnavailable):
            RawStorage(FailingClient(error)).put(BUCKET, "key", b"{}")


class TestGet:
    def test_an_object_comes_with_its_time(self, aws: Any) -> None:
        """The time is aware."""
        aws.put_object(Bucket=BUCKET, Key="events/a.json", Body=b"{}")
        found = RawStorage(aws).get(BUCKET, "events/a.json")
        assert found.body == b"{}"
        assert found.last_modified.tzinfo is not None

    def test_an_object_that_is_gone_is_told_apart(self, aws: Any) -> None:
        """A missing object is no failure of S3."""
        with pytest.raises(ObjectGone):
            RawStorage(aws).get(BUCKET, "events/missing.json")

    def test_a_missing_bucket_is_no_missing_object(self, aws: Any) -> None:
        """It is a mistake in the set-up: retrying can help."""
        with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
            RawStorage(aws).get("another-bucket", "events/missing.json")

    @pytest.mark.parametrize("error", FAILURES)
    def test_whatever_s3_does_instead_is_a_failure(self, error: Exception) -> None:
        """Also access denied, which S3 says of a missing object where listing is not allowed."""
        with pytest.raises(StorageUnavailable):
            RawStorage(FailingClient(error)).get(BUCKET, "key")
