from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import polars as pl
import pytest

from analysis.lake.compaction import compact
from analysis.lake.files import Files
from analysis.lake.location import Location
from analysis.lake.schema import EVENT_COLUMNS
from analysis.lake.tables import Tables, open_tables
from analysis.lake.upkeep import (
    KEPT_FOR,
    KEPT_SNAPSHOTS,
    MOST_MANIFESTS,
    MOST_SNAPSHOTS,
    expire,
    sweep,
    sweep_daily,
    tidy,
)
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

NOW = START + timedelta(days=3)
EVERYTHING = timedelta(seconds=-60)


def both(tables: Tables) -> Sequence[Files]:
    return Files(tables.events, "event_id", "event_timestamp"), Files(tables.orders, "order_id", "placed_at")


def rows(hour: datetime) -> pl.DataFrame:
    """One event of an hour, with nothing but what the table is looked up by."""
    names = {"event_id": str(hour), "key": str(hour), "event_timestamp": hour, "partition_hour": hour}
    return pl.DataFrame({name: [names.get(name)] for name in EVENT_COLUMNS}, dict(EVENT_COLUMNS))


def below(place: Location) -> set[str]:
    """All files of the tables."""
    return {str(path) for path in Path(place.root, "clickstream").rglob("*") if path.is_file()}


class TestTidy:
    def test_commits_take_no_longer_however_many_there_were(self, place: Location) -> None:
        """Snapshots and manifests stay few, so the last of 150 commits takes about as long as the 50th."""
        tables = open_tables(place, "shop-raw")
        events, _ = both(tables)
        seconds = []
        for number in range(150):
            begun = process_time()
            hour = START.replace(hour=number % 24) + timedelta(days=number // 24)
            events.replace([], events.write(rows(hour), hour.date()))
            tidy(events.table)
            seconds.append(process_time() - begun)
            assert len(events.table.snapshots()) <= MOST_SNAPSHOTS
        snapshot = events.table.current_snapshot()
        assert snapshot is not None
        assert len(snapshot.manifests(events.table.io)) <= MOST_MANIFESTS
        assert sum(seconds[-36:]) <= 2 * sum(seconds[14:50])
        assert events.read(events.tasks).height == 150

    def test_snapshots_of_before_yesterday_expire(self, place: Location) -> None:
        """Once a day, and never the current one."""
        events, _ = both(open_tables(place, "shop-raw"))
        for number in range(3):
            events.replace([], events.write(rows(START + timedelta(hours=number)), START.date()))
        tidy(events.table)
        assert len(events.table.snapshots()) == 3
        tidy(events.table, datetime.now(UTC) + 3 * KEPT_FOR)
        assert events.table.snapshots() == [events.table.current_snapshot()]

    def test_the_newest_snapshots_stay(self, place: Location) -> None:
        """As many as were asked for, at least."""
        events, _ = both(open_tables(place, "shop-raw"))
        for number in range(5):
            events.replace([], events.write(rows(START + timedelta(hours=number)), START.date()))
        expire(events.table, 2, datetime.now(UTC) - KEPT_FOR)
        assert 2 <= len(events.table.snapshots()) < 5
        assert KEPT_SNAPSHOTS < MOST_SNAPSHOTS


class TestSweep:
    def test_only_files_that_no_snapshot_needs_are_removed(
        self, place: Location, bucket: Path, events: Callable[[], pl.DataFrame]
    ) -> None:
        """A file that a killed run left behind, and what expired snapshots needed; the table is as before."""
        objects = Objects()
        for number in range(3):
            objects.add(received=number * 3600.0)
            compact(objects.write(bucket), place, now=NOW)
        before = events()
        tables = open_tables(place, "shop-raw")
        orphans, _ = both(tables)
        (orphan,) = orphans.write(rows(START), START.date())
        everything = below(place)
        pair = (tables.events, tables.orders)
        assert sweep(place, pair, datetime.now(UTC) - timedelta(hours=3)).files == 0
        assert below(place) == everything

        assert sweep(place, pair, datetime.now(UTC) - EVERYTHING).files == 1
        assert everything - below(place) == {orphan.file_path.removeprefix("file://")}

        expire(tables.events, 1, datetime.now(UTC) - EVERYTHING)
        swept = sweep(place, pair, datetime.now(UTC) - EVERYTHING)
        assert swept.files >= 2
        assert swept.bytes > 0
        data = [path for path in below(place) if path.endswith(".parquet")]
        assert len(data) == 1
        assert events().equals(before)

    def test_the_hashes_of_ids_go_with_their_data_file(self, place: Location, bucket: Path) -> None:
        """They stay as long as a snapshot needs the file."""
        objects = Objects()
        for number in range(2):
            objects.add(received=number * 86_400.0)
        compact(objects.write(bucket), place, now=NOW)
        (first,) = (path for path in below(place) if path.endswith(".ids"))
        objects.add(received=1800.0)
        objects.add(received=86_400.0 + 1)
        compact(objects.write(bucket), place, now=NOW)
        tables = open_tables(place, "shop-raw")
        pair = (tables.events, tables.orders)
        assert sweep(place, pair, datetime.now(UTC) - EVERYTHING).files == 0
        assert first in below(place)
        expire(tables.events, 1, datetime.now(UTC) - EVERYTHING)
        sweep(place, pair, datetime.now(UTC) - EVERYTHING)
        assert first not in below(place)
        live = {task.file.file_path.removeprefix("file://") for task in both(tables)[0].tasks}
        left = {path for path in below(place) if path.endswith(".ids")}
        assert left
        assert left <= {f"{path}.ids" for path in live}

    def test_it_is_done_once_a_day(self, place: Location) -> None:
        """A list of all files takes long in S3."""
        tables = open_tables(place, "shop-raw")
        orphans, _ = both(tables)
        sweep_daily(place, [tables.events])
        assert place.store.get("upkeep.json").bytes()
        orphans.write(rows(START), START.date())
        assert sweep_daily(place, [tables.events]).files == 0
