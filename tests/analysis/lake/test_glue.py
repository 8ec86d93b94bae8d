from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.lake.compaction import Compacted, compact
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.rows.reader import read_hours
from tests.support.glue_lake import LAKE, empty_lake
from tests.support.raw_objects import START, Objects
from tests.support.served_bucket import ServedBucket, served_bucket

pytestmark = pytest.mark.slow

NOW = START + timedelta(days=5)


@pytest.fixture(scope="module")
def served() -> Iterator[ServedBucket]:
    """Give a pretend AWS with a raw bucket, and one for the lake."""
    with served_bucket() as bucket:
        bucket.client.create_bucket(Bucket=LAKE)
        yield bucket


@pytest.fixture
def glue(served: ServedBucket, aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> Location:
    """Give an empty lake in Glue."""
    assert callable(aws_environment)
    aws_environment(
        **served.environment, AWS_REGION="us-east-1", AWS_ENDPOINT_URL=served.environment["AWS_ENDPOINT_URL_S3"]
    )
    monkeypatch.setenv("LAKE_BUCKET_NAME", LAKE)
    return empty_lake(served)


def require_equal(place: Location, source: str | Path) -> None:
    """The lake has the rows that the reader gives of raw."""
    raw = read_hours(source, START, NOW, fields=("key",)).frame
    frame = pl.from_arrow(open_tables(place).events.scan().to_arrow())
    assert isinstance(frame, pl.DataFrame)
    assert_frame_equal(frame.sort("event_timestamp", "key").select(raw.columns), raw)


class TestGlue:
    def test_hours_are_compacted_from_bucket_to_bucket(self, served: ServedBucket, glue: Location) -> None:
        """Records and data are in the lake's bucket; a late object is found by a listing."""
        objects = Objects()
        for number in range(30):
            objects.add(received=number * 3600.0)
        served.fill(objects.bodies)
        done = compact(served.source, glue, now=NOW)
        assert (done.hours, done.rows) == (30, 30)
        objects.add(received=1)
        served.fill(objects.bodies)
        assert compact(served.source, glue, now=NOW).hours == 1
        require_equal(glue, served.source)
        assert compact(served.source, glue, now=NOW, verify=True) == Compacted()
        keys = {each["Key"].split("/")[0] for each in served.client.list_objects_v2(Bucket=LAKE)["Contents"]}
        assert keys == {"clickstream", "hours", "upkeep.json"}

    def test_two_compactions_at_once_write_each_event_once(self, tmp_path: Path, glue: Location) -> None:
        """Of two commits over the same snapshot one is planned again."""
        objects = Objects()
        for number in range(48):
            objects.add(received=number * 3600.0)
        bucket = objects.write(tmp_path / "shop-raw")
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(compact, bucket, glue, now=NOW) for _ in range(2)]
            for each in both:
                each.result()
        require_equal(glue, bucket)
        assert compact(bucket, glue, now=NOW, verify=True) == Compacted()
