from datetime import timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from analysis import LakeEvents, Range, RawEvents, overview, read_events
from analysis.lake.compaction import compact
from analysis.lake.location import Location
from analysis.rows.selection import Clock
from tests.support.raw_objects import START, Objects

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five events of each of six hours, and three objects in other hours than the ones in which they were received.

    Those were received in the first hour, and lie in the hour before, in the third, and after the last.
    """
    objects = Objects()
    for number in range(30):
        objects.add(received=number * 720.0)
    for hours in (-1, 2, 6):
        body = objects.bodies.pop(objects.add(received=300.0))
        objects.put(body, START + hours * HOUR)
    return objects.write(tmp_path_factory.mktemp("bucket") / "shop-raw")


@pytest.fixture(scope="module")
def lake(bucket: Path) -> Location:
    """Its lake."""
    place = Location(str(bucket.parent / "lake"))
    compact(bucket, place, now=START + timedelta(days=2))
    return place


class TestLakeEvents:
    @pytest.mark.parametrize("clock", ["received", "occurred"])
    @pytest.mark.parametrize(
        ("first", "last"), [(0, 6), (0, 2), (2, 6), (-1, 6), (-1, 0.5), (0.05, 5.5), (6, 7), (-9, 15), (-48, 48)]
    )
    def test_objects_in_other_hours_than_their_receipt_count_as_in_raw(
        self, bucket: Path, lake: Location, clock: Clock, first: float, last: float
    ) -> None:
        """An event counts if its object lies in an hour of the range, and it was received in the range."""
        within = Range(START + first * HOUR, START + last * HOUR, zone="UTC")
        raw = read_events(bucket, within.start, within.end, fields=["order"], clock=clock, lake=False)
        assert_frame_equal(overview(LakeEvents(lake.root, clock), within), overview(RawEvents(raw), within))

    def test_an_object_in_the_hour_before_the_range_does_not_count(self, lake: Location) -> None:
        """Nor does one in the hour after it: of 33 events, 31 are in the six hours."""
        within = Range(START, START + 6 * HOUR, zone="UTC")
        assert overview(LakeEvents(lake.root), within)["events"].item() == 31
        wider = Range(START - HOUR, START + 7 * HOUR, zone="UTC")
        assert overview(LakeEvents(lake.root), wider)["events"].item() == 33

    def test_without_a_range_every_row_is_there(self, lake: Location) -> None:
        """Whatever hour its object lies in."""
        counted = LakeEvents(lake.root).query("SELECT count(*) FROM public.clickstream_events", {})
        assert counted.item() == 33
