import os
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from analysis import AnalysisError, Events, LakeWarning, Range, events_over_time, overview, read_events, read_history
from analysis.lake.compaction import compact
from analysis.lake.hours import Records
from analysis.lake.location import Location
from analysis.lake.tables import open_tables
from analysis.raw.local import LocalSource
from tests.support.delete_files import delete_positions
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOUR = 3600.0
END = START + timedelta(hours=6)
WITHIN = Range(START, END, zone="UTC")
LATER = START + timedelta(days=3)
ID = "8a9c2c9e-0a45-4b5c-9f5f-1d0f2f9a3b11"


@pytest.fixture
def objects() -> Objects:
    """Six hours with ten events each."""
    objects = Objects()
    for number in range(60):
        objects.add(received=number * 360.0)
    return objects


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of all objects whose bodies are read from raw."""
    keys: list[str] = []
    original = LocalSource.read

    def reading(self: LocalSource, folders: Any) -> Any:
        for key, body in original(self, folders):
            keys.append(key)
            yield key, body

    monkeypatch.setattr(LocalSource, "read", reading)
    return keys


def events_of(bucket: Path, lake: str | bool, **arguments: Any) -> Events:  # noqa: FBT001  # the argument of readers
    return read_events(bucket, START, END, lake=lake, **{"fields": ["order", "key"], **arguments})


def require_equal(bucket: Path, place: Location, **arguments: Any) -> None:
    """Readers and a history give the same with the lake, and without it."""
    with_lake, without = (events_of(bucket, lake, **arguments) for lake in (place.root, False))
    for name in ("frame", "corrupt", "unreadable", "orders_before"):
        assert_frame_equal(getattr(with_lake, name), getattr(without, name))
    lookback = arguments.get("lookback", timedelta(hours=24))
    raw, *others = (
        read_history(bucket, None, WITHIN, lookback=lookback, lake=lake, load=load)
        for lake, load in ((False, False), (place.root, False), (place.root, True))
    )
    for history in others:
        assert_frame_equal(history.events.frame, raw.events.frame)
        assert_frame_equal(history.reading.corrupt, raw.reading.corrupt)
        assert_frame_equal(overview(history.raw, WITHIN), overview(raw.raw, WITHIN))


class TestValidHours:
    def test_no_object_of_theirs_is_read(
        self, objects: Objects, place: Location, bucket: Path, read: list[str]
    ) -> None:
        """Neither by a reader, nor by a history and its metrics."""
        compact(objects.write(bucket), place, now=LATER)
        read.clear()
        assert events_of(bucket, place.root).frame.height == 60
        history = read_history(bucket, None, WITHIN, lake=place.root)
        assert events_over_time(history.raw, WITHIN, "hour")["events"].to_list() == [10] * 6
        assert not [key for key in read if key.startswith("events/")]
        require_equal(bucket, place)

    def test_an_hour_with_other_objects_is_read_from_raw(
        self, objects: Objects, place: Location, bucket: Path, read: list[str]
    ) -> None:
        """One came late to the second hour, and one of the third was deleted. The other hours come from the lake."""
        compact(objects.write(bucket), place, now=LATER)
        objects.add(received=HOUR + 1)
        objects.write(bucket)
        next((bucket / "events/2026/11/25/11").iterdir()).unlink()
        read.clear()
        assert events_of(bucket, place.root).frame.height == 60
        assert {key[18:20] for key in read} == {"10", "11"}
        require_equal(bucket, place)

    def test_hours_that_were_not_compacted_are_read_from_raw(
        self, objects: Objects, place: Location, bucket: Path, read: list[str]
    ) -> None:
        """The present hour is among them."""
        compact(objects.write(bucket), place, now=START + timedelta(hours=4, minutes=10))
        read.clear()
        events_of(bucket, place.root)
        assert {key[18:20] for key in read} == {"13", "14"}
        require_equal(bucket, place)

    @pytest.mark.parametrize("minutes", [0, 30, 59])
    def test_a_repeat_counts_as_if_raw_was_read(
        self, objects: Objects, place: Location, bucket: Path, minutes: int
    ) -> None:
        """Also if the lookback ends before the event was first received: the lake does not have the repeat then."""
        for hours in (-3, -1, 2, 4):
            objects.add(received=hours * HOUR + minutes * 60, eventId=ID)
        compact(objects.write(bucket), place, now=LATER)
        for lookback in (0, 0.5, 1, 1.5, 2.5, 3, 24):
            require_equal(bucket, place, lookback=timedelta(hours=lookback))
        require_equal(bucket, place, keep_duplicates=True)

    def test_an_earlier_repeat_in_raw_replaces_the_row_of_the_lake(
        self, objects: Objects, place: Location, bucket: Path
    ) -> None:
        """It came late, to an hour that is read from raw now."""
        objects.add(received=4 * HOUR, eventId=ID)
        compact(objects.write(bucket), place, now=LATER)
        key = objects.add(received=HOUR + 10, eventId=ID)
        objects.write(bucket)
        assert key in events_of(bucket, place.root).frame["key"]
        require_equal(bucket, place)

    def test_rejects_are_named(self, objects: Objects, place: Location, bucket: Path, read: list[str]) -> None:
        """The lake only has their number, so these objects are read."""
        key = objects.put("no event", START + timedelta(hours=2))
        compact(objects.write(bucket), place, now=LATER)
        read.clear()
        assert events_of(bucket, place.root).corrupt["key"].to_list() == [key]
        assert [each for each in read if each.startswith("events/")] == [key]
        require_equal(bucket, place)

    def test_objects_that_are_not_rows_are_found_without_a_listing(
        self, objects: Objects, place: Location, bucket: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The record names them, unless they are many: then the hour is listed."""
        reject = objects.put("no event", START)
        objects.add(received=1, eventId=ID)
        repeat = objects.add(received=2, eventId=ID)
        for number in range(201):
            objects.put(f"no event {number}", START + timedelta(hours=1))
        for hour in objects.write(bucket).glob("events/*/*/*/*"):
            os.utime(hour, (0, 0))  # long ago: else a time would not show a change
        compact(bucket, place, now=LATER)
        records = Records(place.store)
        first, second = (records.get(START + timedelta(hours=hours)) for hours in (0, 1))
        assert first is not None
        assert second is not None
        assert first.others == tuple(sorted(key.rpartition("/")[2] for key in (reject, repeat)))
        assert second.others is None
        require_equal(bucket, place, keep_duplicates=True)
        listed: list[str] = []
        original = LocalSource.folders

        def listing(self: LocalSource, prefixes: Any) -> Any:
            names = list(prefixes)
            listed.extend(names)
            return original(self, names)

        monkeypatch.setattr(LocalSource, "folders", listing)
        assert events_of(bucket, place.root).corrupt.height == 202
        assert [name for name in listed if (bucket / name).exists()] == ["events/2026/11/25/10/"]

    def test_an_object_in_the_wrong_hour_counts_as_in_raw(
        self, objects: Objects, place: Location, bucket: Path
    ) -> None:
        """Its row has another time than its hour: it is found only if both are in the range."""
        received = START + timedelta(minutes=5)
        for hours in (-2, 3, 8):
            body = objects.bodies[objects.add(received=300.0, eventId=f"moved {hours}")]
            objects.put(body, received + timedelta(hours=hours))
        compact(objects.write(bucket), place, now=LATER)
        require_equal(bucket, place)
        require_equal(bucket, place, lookback=timedelta(hours=1))

    def test_ids_are_given_as_they_were_sent(self, objects: Objects, place: Location, bucket: Path) -> None:
        """In capitals, no UUID, or none at all."""
        objects.add(received=10, eventId=ID.upper())
        objects.add(received=11, eventId="no uuid")
        objects.add(received=12, eventId=None)
        compact(objects.write(bucket), place, now=LATER)
        fields = ["key", "sent_event_id", "occurred_at", "page_url", "order"]
        require_equal(bucket, place, fields=fields)
        require_equal(bucket, place, fields=[*fields, "sent_event_timestamp", "source_ip"])

    def test_events_of_the_erased_that_raw_has_are_there(self, objects: Objects, place: Location, bucket: Path) -> None:
        """The lake leaves them out; raw gives them until they are erased again."""
        from analysis.raw.tombstones import Tombstones

        stones = Tombstones.new().and_also([("client_id", "gone")])
        for number in range(3):
            objects.add(received=number * HOUR, clientId="gone")
        objects.write(bucket)
        for key, body in stones.objects().items():
            (bucket / key).parent.mkdir(exist_ok=True)
            (bucket / key).write_bytes(body)
        done = compact(bucket, place, now=LATER)
        assert (done.rows, done.erased) == (60, 3)
        require_equal(bucket, place)


class TestWithoutTheLake:
    def test_a_damaged_file_is_named_and_raw_is_read(self, objects: Objects, place: Location, bucket: Path) -> None:
        """Also if only a column is damaged that a later query reads."""
        compact(objects.write(bucket), place, now=LATER)
        (task,) = open_tables(place).events.scan().plan_files()
        history = read_history(bucket, None, WITHIN, lake=place.root)
        path = Path(task.file.file_path.removeprefix("file://"))
        path.write_bytes(path.read_bytes()[:-100])
        without = overview(read_history(bucket, None, WITHIN, lake=False).raw, WITHIN)
        with pytest.warns(LakeWarning, match=f"{path.name} is damaged, so raw is read instead: run"):
            assert_frame_equal(overview(history.raw, WITHIN), without)
        with pytest.warns(LakeWarning, match=path.name):
            assert events_of(bucket, place.root).frame.height == 60
        path.unlink()
        with pytest.warns(LakeWarning, match=path.name):
            assert events_of(bucket, place.root).frame.height == 60

    def test_files_with_deleted_rows_do_not_stand_in(self, objects: Objects, place: Location, bucket: Path) -> None:
        """Raw still has what another engine deleted from the lake."""
        compact(objects.write(bucket), place, now=LATER)
        table = open_tables(place).events
        (task,) = table.scan().plan_files()
        delete_positions(table, task, [0])
        assert events_of(bucket, place.root).frame.height == 60
        require_equal(bucket, place)

    def test_the_lake_of_another_bucket_is_refused(self, objects: Objects, place: Location, bucket: Path) -> None:
        """By name; the default lake is left alone then."""
        compact(objects.write(bucket), place, now=LATER)
        other = objects.write(bucket.with_name("other"))
        with pytest.raises(AnalysisError, match="holds the events of shop-raw, not of other"):
            read_events(other, START, END, lake=place.root)

    def test_the_default_lake_is_used_if_it_is_there(
        self, objects: Objects, place: Location, bucket: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where it is not, or is that of another bucket, raw is read, and nothing is made."""
        monkeypatch.setenv("LAKE", place.root)
        objects.write(bucket)
        assert events_of(bucket, lake=True).frame.height == 60
        assert not Path(place.root).exists()
        compact(bucket, place, now=LATER)
        read.clear()
        assert events_of(bucket, lake=True).frame.height == 60
        assert not read
        assert read_events(objects.write(bucket.with_name("other")), START, END).frame.height == 60
        assert len(read) == 60

    def test_other_decimals_of_prices_are_read_from_raw(
        self, objects: Objects, place: Location, bucket: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The default lake is left out, with a warning; one that is named is refused."""
        compact(objects.write(bucket), place, now=LATER)
        with pytest.raises(AnalysisError, match="have 0 decimals, and 2 are wanted"):
            events_of(bucket, place.root, price_decimals=2)
        monkeypatch.setenv("LAKE", place.root)
        with pytest.warns(LakeWarning, match="raw is read without the lake: the prices in the lake"):
            events_of(bucket, lake=True, price_decimals=2)

    def test_an_open_lake_sees_no_later_commit(self, objects: Objects, place: Location, bucket: Path) -> None:
        """A history stays as it was read, although the lake changes under it."""
        compact(objects.write(bucket), place, now=LATER)
        history = read_history(bucket, None, WITHIN, lake=place.root)
        objects.add(received=10)
        compact(objects.write(bucket), place, now=LATER)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert overview(history.raw, WITHIN)["events"].item() == 60
