"""Erasing from a lake in AWS Glue, whose bucket keeps versions."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from analysis.lake.compaction import Compacted, compact
from analysis.lake.files import Files
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.repair.erase import lake_files
from analysis.repair.erase.person import Person
from analysis.repair.erase.run import Found, Place, erase, search
from tests.support.glue_lake import LAKE, empty_lake
from tests.support.lake_bytes import lake_bytes
from tests.support.raw_objects import START, Objects
from tests.support.served_bucket import ServedBucket, served_bucket

pytestmark = pytest.mark.slow

ANNA = "6b0e2a4c-91fa-4d1e-8d6e-0a1b2c3d4e5f"
NOW = START + timedelta(days=5)


@pytest.fixture
def served() -> Iterator[ServedBucket]:
    """Give a pretend AWS with a raw bucket, and one for the lake that keeps versions."""
    with served_bucket() as bucket:
        bucket.client.create_bucket(Bucket=LAKE)
        bucket.client.put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
        yield bucket


@pytest.fixture
def glue(served: ServedBucket, aws_environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Location:
    """Give an empty lake in Glue."""
    aws_environment(
        **served.environment, AWS_REGION="us-east-1", AWS_ENDPOINT_URL=served.environment["AWS_ENDPOINT_URL_S3"]
    )
    monkeypatch.setenv("LAKE_BUCKET_NAME", LAKE)
    return empty_lake(served)


@pytest.fixture
def place(served: ServedBucket, glue: Location, warehouse_url: str) -> Place:
    """Give events of two people, in raw and in the lake."""
    objects = Objects()
    for number in range(30):
        objects.add(received=number * 3600.0, clientId=ANNA if number % 3 else "ben")
    served.fill(objects.bodies)
    compact(served.source, glue, now=NOW)
    return Place(served.source, warehouse_url, glue)


def erased(place: Place) -> Found:
    person = Person([ANNA], [])
    return erase(place, person, search(place, person), mentions=False)


def everything(served: ServedBucket, directory: Path) -> bytes:
    """Every version of every object of the lake's bucket."""
    for number, each in enumerate(served.client.list_object_versions(Bucket=LAKE)["Versions"]):
        path = directory / str(number) / each["Key"]
        path.parent.mkdir(parents=True)
        answer = served.client.get_object(Bucket=LAKE, Key=each["Key"], VersionId=each["VersionId"])
        path.write_bytes(answer["Body"].read())
    return lake_bytes(directory)


class TestGlue:
    def test_no_version_holds_the_person(self, place: Place, served: ServedBucket, tmp_path: Path) -> None:
        """Objects whose key was deleted before are gone as well."""
        assert ANNA.encode() in everything(served, tmp_path / "before")
        assert erased(place).is_nothing
        assert ANNA.encode() not in everything(served, tmp_path / "after")
        assert place.lake is not None
        rows = pl.from_arrow(open_tables(place.lake).events.scan().to_arrow())
        assert isinstance(rows, pl.DataFrame)
        assert rows["client_id"].to_list() == ["ben"] * 10
        assert compact(place.source, place.lake, now=NOW, verify=True) == Compacted()

    def test_files_of_a_compaction_that_runs_stay_and_are_counted(
        self, place: Place, served: ServedBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing locks a lake in Glue; after three hours the next erasure removes them."""
        assert place.lake is not None
        files = Files(open_tables(place.lake).events, "event_id", "event_timestamp")
        (written,) = files.write(files.read(files.tasks[:1]), START.date())
        left = erased(place)
        assert left.lake == (0, 0, 0, 1)
        assert not left.is_nothing
        key = written.file_path.removeprefix(f"s3://{LAKE}/")
        assert served.client.head_object(Bucket=LAKE, Key=key)
        monkeypatch.setattr(lake_files, "UNFINISHED_FOR", timedelta())
        assert erased(place).is_nothing
        assert ANNA.encode() not in everything(served, tmp_path)
