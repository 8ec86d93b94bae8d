from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from analysis.lake import known_ids
from analysis.lake.compaction import Compacted, compact
from analysis.lake.files import Damaged, Files
from analysis.lake.known_ids import hashes_beside, may_hold
from analysis.lake.location import Location
from analysis.lake.schema import EVENT_COLUMNS
from analysis.lake.tables import open_tables
from tests.support.delete_files import delete_positions
from tests.support.lake_bytes import lake_bytes
from tests.support.lake_rows import require_rows_of_raw
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

DAYS = 4
DAY = 86_400.0
NOW = START + timedelta(days=DAYS + 1)
IDS = {number: [f"id {number} of day {number}", f"another of day {number}"] for number in range(DAYS)}
# Bytes that do not fit, made of the right ones and of the ones of another file.
UNFIT: dict[str, Callable[[bytes, bytes], bytes]] = {
    "empty": lambda _kept, _other: b"",
    "cut off": lambda kept, _other: kept[:-8],
    "one bit changed": lambda kept, _other: kept[:-1] + bytes([kept[-1] ^ 1]),
    "of another file": lambda _kept, other: other,
    "hashes alone": lambda kept, _other: kept[32:],
}


@pytest.fixture
def files(place: Location) -> Files:
    """Give a table with one file a day, of which nothing is known yet."""
    found = Files(open_tables(place, "shop-raw").events, "event_id", "event_timestamp")
    for number, ids in IDS.items():
        hour = START + timedelta(days=number)
        values = {"event_timestamp": hour, "partition_hour": hour}
        rows = [{**dict.fromkeys(EVENT_COLUMNS), **values, "event_id": name, "key": name} for name in ids]
        found.replace([], found.write(pl.DataFrame(rows, dict(EVENT_COLUMNS)), hour.date()))
    return found


def days(files: Files, *ids: str) -> list[int]:
    """The numbers of the days whose files may hold ids."""
    return sorted((files.day(task) - START.date()).days for task in may_hold(files, files.tasks, pl.Series(ids)))


def data(files: Files, number: int) -> Path:
    """The data file of a day."""
    (task,) = files.of_day((START + timedelta(days=number)).date())
    return Path(task.file.file_path.removeprefix("file://"))


def kept(files: Files, number: int) -> Path:
    """The file beside the data file of a day."""
    return Path(hashes_beside(str(data(files, number))))


class TestMayHold:
    def test_files_with_one_of_the_ids_are_chosen(self, files: Files) -> None:
        """The first time and later."""
        for _ in range(2):
            assert days(files, IDS[1][1], "unknown", IDS[3][0]) == [1, 3]
            assert days(files, "unknown") == []
            assert may_hold(files, files.tasks, pl.Series([], dtype=pl.String)) == []

    def test_a_file_is_read_once_only(self, files: Files) -> None:
        """Afterwards its hashes tell. Without them, it has to be read."""
        assert days(files, IDS[2][0]) == [2]
        data(files, 2).unlink()
        assert days(files, IDS[2][0], IDS[0][0]) == [0, 2]
        kept(files, 2).unlink()
        with pytest.raises(Damaged):
            days(files, IDS[2][0])

    @pytest.mark.parametrize("unfit", UNFIT)
    def test_hashes_that_do_not_fit_are_made_again(self, files: Files, unfit: str) -> None:
        """A repeat would become a second row, if they were believed."""
        days(files, "unknown")
        right = kept(files, 1).read_bytes()
        wrong = UNFIT[unfit](right, kept(files, 2).read_bytes())
        assert wrong != right
        kept(files, 1).write_bytes(wrong)
        assert days(files, *IDS[1]) == [1]
        assert kept(files, 1).read_bytes() == right

    @pytest.mark.parametrize("other", ["another version of Polars", "another computer"])
    def test_hashes_that_are_made_in_another_way_are_made_again(
        self, files: Files, monkeypatch: pytest.MonkeyPatch, other: str
    ) -> None:
        """The hashes of an id depend on the version of Polars, and may depend on the processor."""
        days(files, "unknown")
        before = kept(files, 1).read_bytes()
        if other == "another computer":
            monkeypatch.setattr(known_ids, "_hashes", lambda ids: ids.hash(seed=7).rechunk())
        else:
            monkeypatch.setattr(pl, "__version__", "0.0.1")
        assert days(files, *IDS[1]) == [1]
        assert kept(files, 1).read_bytes() != before

    def test_nothing_is_kept_of_a_file_from_which_another_engine_has_deleted_rows(self, files: Files) -> None:
        """Going back to an older snapshot brings them back."""
        (task,) = files.of_day(START.date())
        delete_positions(files.table, task, [0])
        now = Files(files.table, files.id, files.time)
        assert days(now, IDS[0][0]) == []
        assert days(now, IDS[0][1]) == [0]
        assert not kept(now, 0).exists()

    def test_no_id_can_be_read_from_the_hashes(self, files: Files) -> None:
        """Eight bytes stand for each, behind a checksum of 32."""
        days(files, "unknown")
        assert len(kept(files, 1).read_bytes()) == 32 + 8 * len(IDS[1])
        for ids in IDS.values():
            for number in range(DAYS):
                assert not any(name.encode() in kept(files, number).read_bytes() for name in ids)


class TestCompaction:
    @pytest.mark.parametrize("state", ["made first", "kept", "damaged", "gone"])
    def test_a_repeat_of_an_earlier_day_is_found(self, place: Location, bucket: Path, state: str) -> None:
        """Whatever is kept of that day."""
        objects = Objects()
        objects.add(received=1, eventId="once")
        compact(objects.write(bucket), place, now=NOW)
        if state != "made first":
            objects.add(received=DAY)
            compact(objects.write(bucket), place, now=NOW)
            (beside,) = Path(place.root).rglob("*.ids")
            if state == "damaged":
                beside.write_bytes(bytes(40))
            if state == "gone":
                beside.unlink()
        objects.add(received=2 * DAY, eventId="once")
        done = compact(objects.write(bucket), place, now=NOW)
        assert (done.rows, done.repeats) == (0, 1)
        require_rows_of_raw(place, bucket)
        assert compact(bucket, place, now=NOW, verify=True) == Compacted()

    def test_every_text_of_the_rows_is_in_data_files_only(self, place: Location, bucket: Path) -> None:
        """What is kept beside them holds no text of an event."""
        objects = Objects()
        for number in range(3):
            objects.add(received=number * DAY)
        compact(objects.write(bucket), place, now=NOW)
        for path in Path(place.root).rglob("*.parquet"):
            path.unlink()
        assert [*Path(place.root).rglob("*.ids")]
        left = lake_bytes(Path(place.root, "clickstream"))
        assert not any(name.encode() in left for name in event_ids(objects))


def event_ids(objects: Objects) -> list[str]:
    """The ids of the events, as they were sent."""
    return [body.decode().partition('"eventId": "')[2].partition('"')[0] for body in objects.bodies.values()]
