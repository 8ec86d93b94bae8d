from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.errors import AnalysisError
from analysis.lake.compaction import Compacted, compact
from analysis.lake.hours import Records
from analysis.lake.location import Location
from analysis.raw import local
from analysis.raw.tombstones import Tombstones
from tests.support.lake_rows import data_files, require_rows_of_raw
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOUR = 3600.0
DAY = timedelta(days=1)
NOON = START + timedelta(hours=3)
NEXT_DAY = START + DAY

Events = Callable[[], pl.DataFrame]


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
        require_rows_of_raw(place, bucket)
        (file,) = data_files(place)
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

    def test_the_open_hour_is_compacted_on_request_and_again_once_it_is_closed(
        self, place: Location, bucket: Path
    ) -> None:
        """Who tries the product need not wait for the end of the hour. Until then, it waits as before."""
        objects = Objects()
        objects.add(received=1)
        objects.write(bucket)
        done = compact(bucket, place, now=START + timedelta(minutes=1), also_open=True)
        assert (done.hours, done.rows, done.waiting) == (1, 1, 0)
        objects.add(received=2)
        objects.write(bucket)
        early = compact(bucket, place, now=START + timedelta(minutes=2))
        assert (early.hours, early.waiting) == (0, 1)
        late = compact(bucket, place, now=START + timedelta(minutes=70))
        assert (late.hours, late.rows, late.waiting) == (1, 2, 0)
        require_rows_of_raw(place, bucket)

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
        require_rows_of_raw(place, bucket)
        assert len(data_files(place)) == 1

    @pytest.mark.parametrize("later", [HOUR, 26 * HOUR])
    def test_a_late_object_that_was_received_first_replaces_the_row(
        self, place: Location, bucket: Path, events: Events, later: float
    ) -> None:
        """In whichever hour or day the row is. Both hours still add up."""
        objects = Objects()
        objects.add(received=1)
        second = objects.add(received=later, eventId="8a9c2c9e-0a45-4b5c-9f5f-1d0f2f9a3b11")
        compact(objects.write(bucket), place, now=NEXT_DAY + 2 * DAY)
        assert second in events()["key"]
        first = objects.add(received=10, eventId="8a9c2c9e-0a45-4b5c-9f5f-1d0f2f9a3b11")
        done = compact(objects.write(bucket), place, now=NEXT_DAY + 2 * DAY)
        assert (done.hours, done.rows) == (1, 2)
        keys = events()["key"].to_list()
        assert first in keys
        assert second not in keys
        record = Records(place.store).get(START + timedelta(seconds=later))
        assert record is not None
        assert (record.rows, record.repeats, record.first_in) == (0, 1, ("2026-11-25T09",))
        assert compact(bucket, place, now=NEXT_DAY + 2 * DAY, verify=True) == Compacted()

    def test_a_repeat_becomes_the_row_if_its_first_object_is_gone(
        self, place: Location, bucket: Path, events: Events
    ) -> None:
        """The hour of the repeat is compacted again, too."""
        objects = Objects()
        first = objects.add(received=1, eventId="once")
        second = objects.add(received=HOUR, eventId="once")
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert events()["key"].to_list() == [first]
        (bucket / first).unlink()
        compact(bucket, place, (START, START + timedelta(hours=1)), now=NEXT_DAY + DAY)
        assert events()["key"].to_list() == [second]

    def test_the_hour_of_a_repeat_keeps_its_rows_if_raw_has_expired(
        self, place: Location, bucket: Path, events: Events
    ) -> None:
        """Nobody asked for that hour: it is not compacted again without its objects."""
        objects = Objects()
        first = objects.add(received=1, eventId="once")
        objects.add(received=HOUR, eventId="once")
        other = objects.add(received=HOUR + 1)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        for key in objects.bodies:
            (bucket / key).unlink()
        assert [*events()["key"]] == [first, other]
        compact(bucket, place, (START, START + timedelta(hours=1)), now=NEXT_DAY + DAY)
        assert [*events()["key"]] == [other]

    def test_hours_of_an_open_day_are_files_until_it_closes(self, place: Location, bucket: Path) -> None:
        """Then they are merged."""
        objects = Objects()
        for number in range(3):
            objects.add(received=number * HOUR)
        objects.write(bucket)
        for number in range(1, 4):
            compact(bucket, place, now=START + timedelta(hours=number, minutes=10))
        assert len(data_files(place)) == 3
        done = compact(bucket, place, now=NEXT_DAY + DAY)
        assert (done.hours, done.days, len(data_files(place))) == (0, 1, 1)
        require_rows_of_raw(place, bucket)

    def test_rows_stay_when_raw_expires(self, place: Location, bucket: Path, events: Events) -> None:
        """The hours are named. A span that is named lets the rows go."""
        objects = Objects()
        first, second = objects.add(received=1), objects.add(received=2)
        compact(objects.write(bucket), place, now=NOON)
        (bucket / first).unlink()
        done = compact(bucket, place, now=NOON)
        assert (done.hours, done.gone) == (0, [START])
        assert events()["key"].to_list() == [first, second]
        assert compact(bucket, place, (START, NOON), now=NOON).rows == 1
        assert events()["key"].to_list() == [second]

    def test_recent_does_not_look_at_old_hours_again(self, place: Location, bucket: Path) -> None:
        """Only hours that ended in the last 48 hours are compared with raw."""
        objects = Objects()
        objects.add(received=1)
        compact(objects.write(bucket), place, now=NOON)
        objects.add(received=2)
        objects.write(bucket)
        assert compact(bucket, place, recent=True, now=START + timedelta(hours=51)).hours == 0
        assert compact(bucket, place, recent=True, now=START + timedelta(hours=48)).hours == 1

    def test_an_hour_with_an_unreadable_object_waits(
        self, place: Location, bucket: Path, events: Events, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is named, and the other hours are compacted."""
        objects = Objects()
        denied, fine = objects.add(received=1), objects.add(received=HOUR)
        objects.write(bucket)
        opened = local._read

        def read(name: str, directory: int) -> bytes:
            if denied.endswith(name):
                raise PermissionError(13, "Permission denied")
            return opened(name, directory)

        with monkeypatch.context() as patch:
            patch.setattr(local, "_read", read)
            done = compact(bucket, place, now=NOON)
            assert (done.hours, done.unreadable) == (1, [(denied, "Permission denied")])
            assert events()["key"].to_list() == [fine]
        assert compact(bucket, place, now=NOON).hours == 1
        require_rows_of_raw(place, bucket)

    def test_erased_people_have_no_rows(self, place: Location, bucket: Path, events: Events) -> None:
        """Neither of an hour that is compacted, nor of other hours of its file."""
        objects = Objects()
        objects.add(received=1, clientId="gone")
        kept = objects.add(received=2, clientId="stays")
        objects.add(received=HOUR, clientId="gone", userId=None)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        stones = Tombstones.new().and_also([("client_id", "gone")])
        for key, body in stones.objects().items():
            (bucket / key).parent.mkdir(exist_ok=True)
            (bucket / key).write_bytes(body)
        late = objects.add(received=3, clientId="stays")
        done = compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert (done.hours, done.objects, done.rows, done.erased) == (1, 3, 2, 1)
        assert events()["key"].to_list() == [kept, late]
        record = Records(place.store).get(START + timedelta(hours=1))
        assert record is not None
        assert (record.rows, record.erased) == (0, 1)

    def test_only_one_compaction_writes_at_a_time(self, place: Location, bucket: Path) -> None:
        """The second one ends with one line."""
        objects = Objects()
        objects.add()
        with place.locked(), pytest.raises(AnalysisError, match="another process writes to the lake"):
            compact(objects.write(bucket), place, now=NOON)
