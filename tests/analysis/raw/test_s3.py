import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import AnalysisError
from analysis.raw.local import LocalSource
from analysis.raw.objects import read_objects
from analysis.raw.s3 import S3Source
from analysis.raw.sample import MARKER, Sample, read_sample
from analysis.raw.strays import strays
from analysis.rows.reader import read_events, read_hours
from chalicelib.flatten import flatten
from chalicelib.storage import RawStorage
from command_line.home import BUCKET, Home, Stack
from emulator.servers.environment import aws_environment as variables
from emulator.servers.s3 import S3Server

pytestmark = pytest.mark.stack

START = datetime(2026, 11, 24, 22, tzinfo=UTC)
END = START + timedelta(hours=3)
KEYS = [
    "events/2026/11/24/22/event-a.json",
    "events/2026/11/24/22/deep/event b%20#é+.json",
    "events/2026/11/25/00/event-c.json",
]
GONE = "events/2026/11/24/21/gone.json"
# More than a page of a listing holds, and than one window of requests.
MANY = [f"events/2026/11/24/20/event-{number}.json" for number in range(1100)]
OTHERS = ["events/2026/11/24/22/notes.txt", "events/2026/11/25/01/late.json", "other/2026/11/24/22/a.json"]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """Give a real S3 server, as the emulator starts it, and the directory of its bucket."""
    home = Home(tmp_path_factory.mktemp("s3") / "home")
    home.create()
    stack = Stack("", "", f"http://127.0.0.1:{_free_port()}", "", True, BUCKET, "key-id", "secret-key")  # noqa: FBT003
    bucket = home.s3 / BUCKET
    for number, key in enumerate([*KEYS, *OTHERS, GONE, *MANY]):
        path = bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"eventName": "{number}"}}')
        os.utime(path, ns=(0, 1_700_000_000_999_999_999 + number * 10**9))
    server = S3Server(home, stack)
    server.start()
    yield stack, bucket
    server.stop()


@pytest.fixture
def bucket(server: tuple[Stack, Path], aws_environment: Callable[..., None]) -> Path:
    """Point the environment at the S3 server, as `python -m emulator env` does; give its bucket's directory."""
    stack, directory = server
    aws_environment(**{name: value for name, value in variables(stack).items() if name.startswith("AWS_")})
    return directory


class TestS3Source:
    def test_the_bucket_and_its_directory_give_the_same_events(self, bucket: Path) -> None:
        """Keys of any spelling, objects without a time, and names that are not objects."""
        served = read_hours(f"s3://{BUCKET}", START, END, fields=["key"])
        assert sorted(served.frame["key"]) == sorted(KEYS)
        assert served.frame.equals(read_hours(bucket, START, END, fields=["key"]).frame)

    def test_the_times_are_those_that_the_projector_sees(self, bucket: Path) -> None:
        """LastModified as RawStorage gives it: for objects without a time of their own it is a column."""
        del bucket
        frame = read_hours(f"s3://{BUCKET}", START, END, fields=["key"]).frame
        for *row, key in frame.iter_rows():
            raw = RawStorage(_client()).get(BUCKET, key)
            expected = flatten(raw.body, key, raw.last_modified)
            assert row == [str(expected[0]), *expected[1:]]

    def test_many_objects_are_all_read(self, bucket: Path) -> None:
        """Each once."""
        del bucket
        start, end = START - timedelta(hours=2), START - timedelta(hours=1)
        frame = read_hours(f"s3://{BUCKET}", start, end, fields=["key"]).frame
        assert sorted(frame["key"]) == sorted(MANY)

    def test_every_hour_there_is_is_found(self, bucket: Path) -> None:
        """By the prefixes alone, in order; prefixes that are not hours are passed over."""
        assert S3Source(BUCKET).hours() == LocalSource(bucket).hours()
        assert S3Source(BUCKET).hours()[:2] == ["events/2026/11/24/20/", "events/2026/11/24/21/"]

    def test_strays_are_the_same_through_s3(self, bucket: Path) -> None:
        """One level at a time, whatever lies there."""
        directory = LocalSource(bucket)
        assert strays(S3Source(BUCKET), directory.hours()) == strays(directory, directory.hours())
        assert [stray.key for stray in strays(directory, directory.hours())] == [OTHERS[0]]

    def test_a_sample_is_known_through_s3_too(self, bucket: Path) -> None:
        """Its marker is an object in the bucket; without it there is none."""
        assert read_sample(f"s3://{BUCKET}") is None
        sample = Sample(START, END, END)
        _client().put_object(Bucket=BUCKET, Key=MARKER, Body=sample.as_bytes())
        assert read_sample(f"s3://{BUCKET}") == read_sample(bucket) == sample

    def test_what_is_gone_by_now_is_left_out(self, bucket: Path) -> None:
        """Between the listing and the request."""
        del bucket
        source = S3Source(BUCKET)
        (folders,) = source.folders(["events/2026/11/24/21/"])
        assert [names for _, names in folders] == [["gone.json"]]
        _client().delete_object(Bucket=BUCKET, Key=GONE)
        assert list(source.read(folders)) == []

    def test_control_characters_in_a_key_are_read(self, bucket: Path) -> None:
        """S3 allows them; obstore does not."""
        del bucket
        keys = [f"events/2026/11/25/23/event-{character}.json" for character in "\x01\n\x7f"]
        for key in keys:
            _client().put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        found = dict(read_objects(f"s3://{BUCKET}", START + timedelta(hours=25), START + timedelta(hours=26)))
        assert found == {key: key.encode() for key in keys}

    def test_a_missing_bucket_is_an_error_that_says_so(self, bucket: Path) -> None:
        """In one line, with S3's own code."""
        del bucket
        with pytest.raises(AnalysisError, match=r"^cannot read s3://another-bucket: NoSuchBucket$"):
            read_events("s3://another-bucket", START, END)

    def test_wrong_credentials_are_an_error_that_says_so(self, bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """They are not in it."""
        del bucket
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        with pytest.raises(AnalysisError, match=r"^cannot read s3://[a-z0-9-]+: SignatureDoesNotMatch$"):
            read_events(f"s3://{BUCKET}", START, END)

    def test_a_server_that_is_not_there_is_an_error_that_says_so(
        self, bucket: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In one line, after some tries."""
        del bucket
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{_free_port()}")
        with pytest.raises(AnalysisError, match=r"^cannot read s3://[^\n]+$"):
            read_events(f"s3://{BUCKET}", START, END)

    def test_without_credentials_it_says_so(self, aws_environment: Callable[..., None]) -> None:
        """Before anything is asked."""
        aws_environment(AWS_EC2_METADATA_DISABLED="true")
        with pytest.raises(AnalysisError, match="no AWS credentials"):
            S3Source(BUCKET)


def _client() -> Any:
    import boto3

    return boto3.client("s3")
