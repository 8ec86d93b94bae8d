from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from analysis.errors import AnalysisError
from analysis.lake.compaction import Compacted, compact
from analysis.lake.files import Files
from analysis.lake.location import Location
from analysis.lake.tables import Tables
from tests.support.lake_rows import data_files, require_rows_of_raw
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
NEXT_DAY = START + DAY

Events = Callable[[], pl.DataFrame]


class TestRepair:
    def test_a_damaged_file_is_named_and_its_day_written_again(self, place: Location, bucket: Path) -> None:
        """By --verify, or when it is read."""
        objects = Objects()
        for number in range(30):
            objects.add(received=number * 3600.0)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        damaged = next(file for file in data_files(place) if "2026-11-25" in file)
        path = Path(damaged.removeprefix("file://"))
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
        done = compact(bucket, place, now=NEXT_DAY + DAY, verify=True)
        assert (done.damaged, done.hours) == ([damaged], 15)
        require_rows_of_raw(place, bucket)
        assert compact(bucket, place, now=NEXT_DAY + DAY, verify=True) == Compacted()

        Path(next(file for file in data_files(place) if "2026-11-25" in file).removeprefix("file://")).unlink()
        objects.add(received=10)
        done = compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert len(done.damaged) == 1
        require_rows_of_raw(place, bucket)

    def test_a_damaged_file_stays_if_raw_has_expired(self, place: Location, bucket: Path) -> None:
        """Nothing is changed: a copy of the file may be somewhere."""
        objects = Objects()
        key = objects.add(received=1)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        (bucket / key).unlink()
        (file,) = data_files(place)
        Path(file.removeprefix("file://")).write_bytes(b"PAR1")
        with pytest.raises(AnalysisError, match=r"is damaged .* raw has fewer objects of 2026-11-25"):
            compact(bucket, place, now=NEXT_DAY + DAY, verify=True)
        assert data_files(place) == [file]

    def test_rows_that_are_not_as_recorded_are_written_again(
        self, place: Location, bucket: Path, events: Events, tables: Callable[[], Tables]
    ) -> None:
        """Somebody else deleted a row; --verify finds it."""
        objects = Objects()
        key = objects.add(received=1)
        objects.add(received=2)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        written = Files(tables().events, "event_id", "event_timestamp")
        left = written.read(written.tasks).filter(pl.col("key") != key)
        written.replace(written.tasks, written.write(left, START.date()))
        assert events().height == 1
        assert compact(bucket, place, now=NEXT_DAY + DAY).hours == 0
        assert compact(bucket, place, now=NEXT_DAY + DAY, verify=True).hours == 1
        require_rows_of_raw(place, bucket)
