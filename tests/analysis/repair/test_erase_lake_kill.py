"""An erasure from the lake that is killed at any moment, and run again."""

import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.lake.compaction import Compacted, compact
from analysis.lake.location import Location
from analysis.raw.tombstones import Tombstones
from analysis.repair.erase.lake import InLake, Search, erase_from_lake, look_into_lake
from analysis.repair.erase.person import Person
from analysis.repair.erase.raw import open_bucket
from tests.support.killing import killed_after
from tests.support.lake_bytes import lake_bytes
from tests.support.lake_rows import event_rows
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

ANNA = "6b0e2a4c-91fa-4d1e-8d6e-0a1b2c3d4e5f"
DAYS = 12
NOW = START + timedelta(days=DAYS + 2)
# It says when everything is imported.
PROGRAM = """
import sys
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.repair.erase.lake import Search, erase_from_lake
from analysis.repair.erase.person import Person
place = Location(sys.argv[2])
open_tables(place)
print("ready", flush=True)
erase_from_lake(place, sys.argv[1], Search(Person([sys.argv[3]], []), frozenset(sys.argv[4:])), mentions=False)
"""


class TestKill:
    @pytest.mark.timeout(600)
    def test_the_lake_can_be_read_and_the_next_run_makes_the_rest(self, tmp_path: Path) -> None:
        """After each kill all rows of others are there, and whole hours have records; at the end no byte is left."""
        objects = Objects()
        keys = []
        for number in range(DAYS * 24):
            key = objects.add(received=number * 3600.0, clientId=ANNA if number % 5 == 0 else "ben")
            keys += [key] if number % 5 == 0 else []
        bucket = objects.write(tmp_path / "shop-raw")
        first = Location(str(tmp_path / "lake"))
        compact(bucket, first, now=NOW)
        others = event_rows(first).filter(pl.col("client_id") != ANNA)
        chance = random.Random(17)
        hits = 0
        for number in range(4):
            place = Location(str(tmp_path / f"lake {number}"))
            compact(bucket, place, now=NOW)
            for _ in range(2):
                hits += killed_after(chance.uniform(0, 1.0), PROGRAM, str(bucket), place.root, ANNA, *keys)
                assert_frame_equal(event_rows(place).filter(pl.col("client_id") != ANNA), others)
            search = Search(Person([ANNA], []), frozenset(keys))
            erase_from_lake(place, bucket, search, mentions=False)
            assert look_into_lake(place, search) == InLake()
            after = lake_bytes(Path(place.root))
            assert [name for name in (ANNA, *keys) if name.encode() in after] == []
            assert_frame_equal(event_rows(place), others)
        assert hits
        open_bucket(bucket).put(Tombstones.new().and_also([("client_id", ANNA)]).objects())
        open_bucket(bucket).delete([each for each in open_bucket(bucket).versions() if each.key in keys])
        assert compact(bucket, place, now=NOW, verify=True) == Compacted()
