from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.errors import AnalysisError
from analysis.lake.compaction import Compacted, compact
from analysis.lake.files import Files
from analysis.lake.hours import Records
from analysis.lake.location import Location
from analysis.lake.schema import EVENT_COLUMNS, LAKE_VERSION
from analysis.lake.tables import Tables, open_tables
from analysis.raw import local
from analysis.raw.tombstones import Tombstones
from analysis.rows.fields import RAW_FIELDS
from analysis.rows.reader import read_events, read_hours
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOUR = 3600.0
DAY = timedelta(days=1)
NOON = START + timedelta(hours=3)
NEXT_DAY = START + DAY


Events = Callable[[], pl.DataFrame]


def files(place: Location) -> list[str]:
    """The data files of the table of events."""
    return [task.file.file_path for task in open_tables(place).events.scan().plan_files()]


def require_equal(events: Events, bucket: Path) -> None:
    """The lake has the rows that the reader gives of raw."""
    raw = read_hours(bucket, START - 7 * DAY, START + 7 * DAY, fields=("key",)).frame
    assert_frame_equal(events().select(raw.columns), raw)


class TestCompact:
    def test_a_closed_day_becomes_one_sorted_file_with_the_rows_of_raw(
        self, place: Location, bucket: Path, events: Events
    ) -> None:
        """All objects are accounted for: rows, repeats and rejects."""
        objects = Objects()
        for number in range(60):
            objects.add(received=number * 300.0)
        objects.add(received=10 * HOUR, eventId="once")
        objects.add(received=10 * HOUR + 1, eventId="once")
        objects.put("no event", START)
        done = compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert (done.hours, done.objects, done.rows, done.repeats, done.rejects) == (6, 63, 61, 1, 1)
        require_equal(events, bucket)
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

    def test_the_open_hour_is_compacted_on_request_and_again_once_it_is_closed(
        self, place: Location, bucket: Path, events: Events
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
        require_equal(events, bucket)

    def test_a_second_run_does_nothing(self, place: Location, bucket: Path) -> None:
        """No hour has changed."""
        objects = Objects()
        objects.add(received=1)
        compact(objects.write(bucket), place, now=NOON)
        assert compact(bucket, place, now=NOON) == Compacted()

    def test_a_late_object_brings_its_hour_in_again(self, place: Location, bucket: Path, events: Events) -> None:
        """Also if its day was closed, and is one file."""
        objects = Objects()
        for number in range(5):
            objects.add(received=number * HOUR)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        objects.add(received=2 * HOUR + 60)
        done = compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert (done.hours, done.objects, done.rows) == (1, 2, 2)
        require_equal(events, bucket)
        assert len(files(place)) == 1

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

    def test_hours_of_an_open_day_are_files_until_it_closes(
        self, place: Location, bucket: Path, events: Events
    ) -> None:
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
        require_equal(events, bucket)

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
        require_equal(events, bucket)

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

    def test_a_damaged_file_is_named_and_its_day_written_again(
        self, place: Location, bucket: Path, events: Events
    ) -> None:
        """By --verify, or when it is read."""
        objects = Objects()
        for number in range(30):
            objects.add(received=number * 3600.0)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        damaged = next(file for file in files(place) if "2026-11-25" in file)
        path = Path(damaged.removeprefix("file://"))
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
        done = compact(bucket, place, now=NEXT_DAY + DAY, verify=True)
        assert (done.damaged, done.hours) == ([damaged], 15)
        require_equal(events, bucket)
        assert compact(bucket, place, now=NEXT_DAY + DAY, verify=True) == Compacted()

        Path(next(file for file in files(place) if "2026-11-25" in file).removeprefix("file://")).unlink()
        objects.add(received=10)
        done = compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        assert len(done.damaged) == 1
        require_equal(events, bucket)

    def test_a_damaged_file_stays_if_raw_has_expired(self, place: Location, bucket: Path) -> None:
        """Nothing is changed: a copy of the file may be somewhere."""
        objects = Objects()
        key = objects.add(received=1)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        (bucket / key).unlink()
        (file,) = files(place)
        Path(file.removeprefix("file://")).write_bytes(b"PAR1")
        with pytest.raises(AnalysisError, match=r"is damaged .* raw has fewer objects of 2026-11-25"):
            compact(bucket, place, now=NEXT_DAY + DAY, verify=True)
        assert files(place) == [file]

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
        require_equal(events, bucket)

    def test_only_one_compaction_writes_at_a_time(self, place: Location, bucket: Path) -> None:
        """The second one ends with one line."""
        objects = Objects()
        objects.add()
        with place.locked(), pytest.raises(AnalysisError, match="another process writes to the lake"):
            compact(objects.write(bucket), place, now=NOON)


class TestColumns:
    def test_raw_fields_and_times_are_those_of_the_reader(self, place: Location, bucket: Path, events: Events) -> None:
        """Of a seeded history; `sent_event_id` is null where it says no more than `event_id`."""
        objects = Objects()
        objects.add(received=1, eventId="an id", channel="mail", wishlisted=True, context={"timeZone": "Asia/Tokyo"})
        objects.add(received=2, publisher={"name": "p", "version": "1"}, cart={"items": []}, seq=7)
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        fields = [field.name for field in RAW_FIELDS if field.name in EVENT_COLUMNS]
        raw = read_hours(bucket, START, NEXT_DAY, fields=("key", *fields)).frame
        lake = events()
        assert list(lake.schema.items()) == list(EVENT_COLUMNS.items())
        assert lake["sent_event_id"].to_list() == ["an id", None]
        names = [name for name in raw.columns if name != "sent_event_id"]
        assert_frame_equal(lake.select(names), raw.select(names))
        timed = read_events(bucket, START, NEXT_DAY, fields=("occurred_at",)).frame
        assert lake["occurred_at"].to_list() == timed["occurred_at"].to_list()

    def test_a_lake_that_lacks_a_column_gets_it(
        self, place: Location, bucket: Path, events: Events, tables: Callable[[], Tables]
    ) -> None:
        """Its hours are compacted again; without their objects in raw, they stay, with null."""
        objects = Objects()
        gone = objects.add(received=1, channel="mail")
        objects.add(received=HOUR, channel="mail")
        compact(objects.write(bucket), place, now=NEXT_DAY + DAY)
        old = tables().events
        with old.transaction() as change:
            with change.update_schema(allow_incompatible_changes=True) as schema:
                schema.delete_column("channel")
            change.set_properties({"clickstream.version": "0"})
        records = Records(place.store)
        records.write({hour: replace(record, version=0) for hour, record in records.hours.items()})
        (bucket / gone).unlink()
        assert compact(bucket, place, now=NEXT_DAY + DAY).hours == 1
        assert events().columns == list(EVENT_COLUMNS)
        assert events()["channel"].to_list() == [None, "mail"]
        assert compact(bucket, place, now=NEXT_DAY + DAY).hours == 0

    @pytest.mark.parametrize(
        ("properties", "said"),
        [
            (
                {"clickstream.version": "99"},
                rf"is at version 99, and this code knows {LAKE_VERSION}: install the newer code",
            ),
            ({"clickstream.bucket": "other"}, r"holds the events of other, not of shop-raw"),
        ],
    )
    def test_a_newer_lake_and_one_of_another_bucket_are_refused(
        self, place: Location, bucket: Path, tables: Callable[[], Tables], properties: dict[str, str], said: str
    ) -> None:
        """With one line."""
        objects = Objects()
        objects.add()
        compact(objects.write(bucket), place, now=NOON)
        with tables().events.transaction() as change:
            change.set_properties(properties)
        with pytest.raises(AnalysisError, match=said):
            compact(bucket, place, now=NOON)

    def test_prices_keep_the_decimals_that_the_lake_began_with(
        self, place: Location, bucket: Path, events: Events, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Others are refused."""
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        objects = Objects()
        objects.add(received=1, product={"price": 12.99})
        compact(objects.write(bucket), place, now=NOON)
        monkeypatch.delenv("PRICE_DECIMALS")
        objects.add(received=2, product={"price": 5})
        compact(objects.write(bucket), place, now=NOON)
        assert events()["context_product_price"].to_list() == [1299, 500]
        monkeypatch.setenv("PRICE_DECIMALS", "3")
        with pytest.raises(AnalysisError, match="have 2 decimals, but PRICE_DECIMALS is 3"):
            compact(bucket, place, now=NOON)


class TestOrders:
    def test_each_order_is_one_row_with_its_lines(
        self, place: Location, bucket: Path, tables: Callable[[], Tables]
    ) -> None:
        """The first received, also if that comes late, or is gone later."""
        objects = Objects()
        order = {"id": "o", "total": 10.5, "currency": "eur", "items": [{"id": "p", "quantity": 2, "price": 5.25}]}
        second = objects.add(received=26 * HOUR, eventName="checkout_complete", order=order)
        compact(objects.write(bucket), place, now=NEXT_DAY + 2 * DAY)
        first = objects.add(received=1, eventName="checkout_complete", order=order)
        compact(objects.write(bucket), place, now=NEXT_DAY + 2 * DAY)
        (row,) = tables().orders.scan().to_arrow().to_pylist()
        assert row["key"] == first
        assert (row["order_id"], row["currency"], row["total"], row["items"]) == ("o", "EUR", Decimal("10.5"), 2)
        assert row["lines"] == [{"product_id": "p", "quantity": 2, "revenue": Decimal("10.5")}]
        (bucket / first).unlink()
        compact(bucket, place, (START, START + DAY), now=NEXT_DAY + 2 * DAY)
        (row,) = tables().orders.scan().to_arrow().to_pylist()
        assert row["key"] == second
