from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.lake.compaction import Compacted, compact
from analysis.lake.hours import Records
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.rows.reader import read_hours
from chalicelib.contract import COLUMNS
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

CONTRACT = [column.name for column in COLUMNS]
HOUR = 3600.0
DAY = timedelta(days=1)
NOON = START + timedelta(hours=3)
NEXT_DAY = START + DAY


@pytest.fixture
def place(tmp_path: Path) -> Location:
    """A place for a lake."""
    return Location(str(tmp_path / "lake"))


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """The directory of a bucket."""
    return tmp_path / "shop-raw"


def events(place: Location) -> pl.DataFrame:
    """The table of events, ordered by time."""
    frame = pl.from_arrow(open_tables(place).events.scan().to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.sort("event_timestamp", "key")


def files(place: Location) -> list[str]:
    """The data files of the table of events."""
    return [task.file.file_path for task in open_tables(place).events.scan().plan_files()]


def require_equal(place: Location, bucket: Path) -> None:
    """The lake has the rows that the reader gives of raw."""
    raw = read_hours(bucket, START - 7 * DAY, START + 7 * DAY, fields=("key",)).frame
    assert_frame_equal(events(place).select(raw.columns), raw)


class TestCompact:
    def test_a_closed_day_becomes_one_sorted_file_with_the_rows_of_raw(self, place: Location, bucket: Path) -> None:
        """All objects are accounted for: rows, repeats and rejects."""
        objects = Objects()
        for number in range(60):
            objects.add(received=number * 300.0)
        objects.add(received=10 * HOUR, eventId="once")
        objects.add(received=10 * HOUR + 1, eventId="once")
        objects.put("no event", START)
        done = compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert (done.hours, done.objects, done.rows, done.repeats, done.rejects) == (6, 63, 61, 1, 1)
        require_equal(place, bucket)
        (file,) = files(place)
        written = pl.read_parquet(file.removeprefix("file://"))
        assert_frame_equal(written, written.sort("event_timestamp", "key"))

    def test_an_hour_waits_until_it_is_closed(self, place: Location, bucket: Path) -> None:
        """Ten minutes after its end: until then its objects may still be on their way."""
        objects = Objects()
        objects.add(received=1)
        objects.write(bucket)
        early = compact(bucket, place, now=START + timedelta(minutes=69, seconds=59))
        assert (early.hours, early.waiting) == (0, 1)
        done = compact(bucket, place, now=START + timedelta(minutes=70))
        assert (done.hours, done.rows, done.waiting) == (1, 1, 0)

    def test_a_second_run_does_nothing(self, place: Location, bucket: Path) -> None:
        """No hour has changed."""
        objects = Objects()
        objects.add(received=1)
        compact(objects.write(bucket), place, now=NOON)
        assert compact(bucket, place, now=NOON) == Compacted()

    def test_a_late_object_brings_its_hour_in_again(self, place: Location, bucket: Path) -> None:
        """Also if its day was closed, and is one file."""
        objects = Objects()
        for number in range(5):
            objects.add(received=number * HOUR)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        objects.add(received=2 * HOUR + 60)
        done = compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert (done.hours, done.objects, done.rows) == (1, 2, 2)
        require_equal(place, bucket)
        assert len(files(place)) == 1

    @pytest.mark.parametrize("later", [HOUR, 26 * HOUR])
    def test_a_late_object_that_was_received_first_replaces_the_row(
        self, place: Location, bucket: Path, later: float
    ) -> None:
        """In whichever hour or day the row is. Both hours still add up."""
        objects = Objects()
        objects.add(received=1)
        second = objects.add(received=later, eventId="8a9c2c9e-0a45-4b5c-9f5f-1d0f2f9a3b11")
        compact(objects.write(bucket), place, now=NEXT_DAY + 2 * DAY)
        assert second in events(place)["key"]
        first = objects.add(received=10, eventId="8a9c2c9e-0a45-4b5c-9f5f-1d0f2f9a3b11")
        done = compact(objects.write(bucket), place, now=NEXT_DAY + 2 * DAY)
        assert (done.hours, done.rows) == (1, 2)
        keys = events(place)["key"].to_list()
        assert first in keys
        assert second not in keys
        record = Records(place.store).get(START + timedelta(seconds=later))
        assert record is not None
        assert (record.rows, record.repeats, record.first_in) == (0, 1, ("2026-11-25T09",))
        assert compact(bucket, place, now=NEXT_DAY + 2 * DAY, verify=True) == Compacted()

    def test_a_repeat_becomes_the_row_if_its_first_object_is_gone(self, place: Location, bucket: Path) -> None:
        """The hour of the repeat is compacted again, too."""
        objects = Objects()
        first = objects.add(received=1, eventId="once")
        second = objects.add(received=HOUR, eventId="once")
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert events(place)["key"].to_list() == [first]
        (bucket / first).unlink()
        compact(bucket, place, (START, START + timedelta(hours=1)), now=NEXT_DAY + DAY)
        assert events(place)["key"].to_list() == [second]

    def test_hours_of_an_open_day_are_files_until_it_closes(self, place: Location, bucket: Path) -> None:
        """Then they are merged."""
        objects = Objects()
        for number in range(3):
            objects.add(received=number * HOUR)
        objects.write(bucket)
        for number in range(1, 4):
            compact(bucket, place, now=START + timedelta(hours=number, minutes=10))
        assert len(files(place)) == 3
        done = compact(bucket, place, now=NEXT_DAY + DAY)
        assert (done.hours, done.days, len(files(place))) == (0, 1, 1)
        require_equal(place, bucket)
