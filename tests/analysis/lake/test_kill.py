"""A compaction that is killed at any moment, and run again."""

import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.lake.compaction import Compacted, compact
from analysis.lake.location import Location, NoLake
from analysis.rows.reader import read_hours
from tests.support.killing import killed_after
from tests.support.lake_rows import event_rows
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

DAYS = 6
NOW = START + timedelta(days=DAYS + 2)
# It says when everything is imported.
PROGRAM = """
import sys
from datetime import datetime
from pathlib import Path
from analysis.lake.compaction import compact
from analysis.lake.location import Location
print("ready", flush=True)
compact(Path(sys.argv[1]), Location(sys.argv[2]), now=datetime.fromisoformat(sys.argv[3]))
"""


class TestKill:
    @pytest.mark.timeout(600)
    def test_it_leaves_whole_hours_and_the_next_run_makes_the_rest(self, tmp_path: Path) -> None:
        """Each event is there at most once after each kill; at the end the lake has the rows of raw."""
        objects = Objects()
        for number in range(DAYS * 24 * 4):
            objects.add(received=number * 900.0)
        for number in range(30):  # repeats, in the same hour and in later days
            objects.add(received=number * 13_000.0 + 60, eventId=f"twice {number % 10}")
        bucket = objects.write(tmp_path / "shop-raw")
        raw = read_hours(bucket, START, NOW, fields=("key",)).frame
        place = Location(str(tmp_path / "lake"))
        chance = random.Random(17)
        hits = 0
        for _ in range(8):
            hits += killed_after(chance.uniform(0, 1.5), PROGRAM, str(bucket), place.root, NOW.isoformat())
            try:
                rows = event_rows(place)
            except NoLake:
                continue
            assert rows["event_id"].is_unique().all()
            there = rows.select(raw.columns)
            hours = there["key"].str.slice(0, 21).unique().to_list()
            assert_frame_equal(there, raw.filter(pl.col("key").str.slice(0, 21).is_in(hours)))
        assert hits
        compact(bucket, place, now=NOW)
        assert_frame_equal(event_rows(place).select(raw.columns), raw)
        assert compact(bucket, place, now=NOW, verify=True) == Compacted()

    @pytest.mark.timeout(600)
    def test_late_objects_count_once_whenever_it_is_killed(self, tmp_path: Path) -> None:
        """Late objects that were received before the rows of later days, which give way."""
        objects = Objects()
        names = [f"again {number}" for number in range(DAYS)]
        for number, name in enumerate(names):
            objects.add(received=number * 86_400.0 + 7200, eventId=name)
        bucket = objects.write(tmp_path / "shop-raw")
        place = Location(str(tmp_path / "lake"))
        compact(bucket, place, now=NOW)
        for number, name in enumerate(names):
            objects.add(received=number * 86_400.0, eventId=name)
        objects.write(bucket)
        chance = random.Random(3)
        for _ in range(4):
            killed_after(chance.uniform(0, 0.6), PROGRAM, str(bucket), place.root, NOW.isoformat())
            assert event_rows(place)["event_id"].is_unique().all()
        compact(bucket, place, now=NOW)
        raw = read_hours(bucket, START, NOW, fields=("key",)).frame
        assert_frame_equal(event_rows(place).select(raw.columns), raw)
        assert compact(bucket, place, now=NOW, verify=True) == Compacted()
