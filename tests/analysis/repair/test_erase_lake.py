import json
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from polars.testing import assert_frame_equal

from analysis.checks.validation.run import validate
from analysis.commands.main import main
from analysis.errors import AnalysisError
from analysis.lake.compaction import Compacted, compact
from analysis.lake.files import Files
from analysis.lake.hours import Hour, Records, hash_of_names
from analysis.lake.location import Location, NoLake
from analysis.lake.tables import lake_of, open_tables
from analysis.repair.erase.lake import Search, look_into_lake
from analysis.repair.erase.person import Person
from analysis.repair.erase.run import Found, Place, erase, erase_again, search, search_again
from analysis.rows.reader import read_hours
from tests.support.lake_bytes import lake_bytes
from tests.support.lake_rows import event_rows, order_rows
from tests.support.raw_objects import START, Objects

ANNA = "6b0e2a4c-91fa-4d1e-8d6e-0a1b2c3d4e5f"
USER = "anna@shop.example"
BEN = "ben of another browser"
HOUR = 3600.0
DAY = 24 * HOUR
NOW = START + timedelta(days=10)
ORDER = {"id": "O-4711-anna", "currency": "EUR", "total": 20, "items": [{"productId": "p", "quantity": 2, "price": 10}]}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_environment")]


@dataclass
class Shop:
    """A shop's events in raw, and where its warehouse and lake are."""

    objects: Objects
    place: Place

    @property
    def lake(self) -> Location:
        assert self.place.lake is not None
        return self.place.lake

    def add(self, received: float, **members: Any) -> str:
        """Store one more object; its key."""
        known = set(self.objects.bodies)
        key = self.objects.add(received=received, **members)
        new = Objects()
        new.bodies = {name: body for name, body in self.objects.bodies.items() if name not in known}
        new.write(Path(self.place.source))
        return key

    def compact(self, **options: Any) -> Compacted:
        return compact(self.place.source, self.lake, now=NOW, **options)

    def erase(self, *, mentions: bool = False) -> Found:
        person = anna()
        return erase(self.place, person, search(self.place, person), mentions=mentions)

    def events(self) -> pl.DataFrame:
        return event_rows(self.lake)

    def orders(self) -> pl.DataFrame:
        return order_rows(self.lake)

    def records(self) -> dict[datetime, Hour]:
        return Records(self.lake.store).hours

    def require_whole(self) -> None:
        """The lake has the rows that the reader gives of raw, and its records are those of a new lake."""
        raw = read_hours(self.place.source, START - timedelta(days=1), NOW, fields=("key",)).frame
        assert_frame_equal(self.events().select(raw.columns), raw)
        assert self.compact(verify=True) == Compacted()
        new = Location(f"{self.lake.root} again")
        compact(self.place.source, new, now=NOW)

        def accounts(records: dict[datetime, Hour]) -> dict[datetime, tuple[object, ...]]:
            return {
                hour: (each.objects, each.rows, each.repeats, each.rejects, each.erased, each.ids, each.keys)
                for hour, each in records.items()
            }

        assert accounts(self.records()) == accounts(Records(new.store).hours)
        assert_frame_equal(self.orders(), order_rows(new))


def hashes(shop: Shop) -> set[int]:
    """The hashes of ids that are kept beside data files."""
    files = Path(shop.lake.root).rglob("*.ids")
    return {number for path in files for (number,) in struct.iter_unpack("<Q", path.read_bytes()[32:])}


def anna() -> Person:
    return Person([ANNA], [USER])


@pytest.fixture
def shop(tmp_path: Path, warehouse_url: str) -> Shop:
    """Give four days of two people, one of whom places an order; events are repeated, and objects are no events."""
    objects = Objects()
    for number in range(8):
        objects.add(received=number * DAY / 2, clientId=ANNA, userId=USER if number > 2 else None, tabId="tab of anna")
        objects.add(received=number * DAY / 2 + 60, clientId=BEN, userId="ben")
    placed: dict[str, Any] = {"eventName": "checkout_complete", "order": ORDER}
    objects.add(received=DAY + 120, clientId=ANNA, eventId="0f0e0d0c-0b0a-4908-8706-050403020100", **placed)
    for later in (5, HOUR):
        objects.add(received=DAY + 120 + later, clientId=ANNA, eventId="0f0e0d0c-0b0a-4908-8706-050403020100", **placed)
        objects.add(received=DAY + 120 + later, clientId=BEN, eventId="11111111-0b0a-4908-8706-050403020100")
    objects.put(f'{{"clientId": "{ANNA}", ')
    objects.put("[1]")
    bucket = objects.write(tmp_path / "shop-raw")
    found = Shop(objects, Place(bucket, warehouse_url, Location(str(tmp_path / "lake"))))
    found.compact()
    return found


def needles(shop: Shop) -> list[bytes]:
    """Every id that is the person's alone, and the name of every object."""
    rows = shop.events().filter((pl.col("client_id") == ANNA) | (pl.col("user_id") == USER))
    ids = [ANNA, USER, ORDER["id"], "tab of anna", *rows["event_id"], *rows["key"]]
    objects = [key.rpartition("/")[2] for key, body in shop.objects.bodies.items() if ANNA.encode() in body]
    return [str(name).encode() for name in (*ids, *objects)]


class TestErase:
    def test_no_byte_of_the_person_is_left_in_any_file(self, shop: Shop) -> None:
        """Not in pages, dictionaries, footers, manifests, metadata, records or the catalog. Other rows stay."""
        names = needles(shop)
        others = shop.events().filter(pl.col("client_id") == BEN)
        before = lake_bytes(Path(shop.lake.root))
        assert [name for name in names if name not in before] == []
        left = shop.erase()
        assert left.is_nothing
        assert left.lake == (0, 0, 0, 0)
        after = lake_bytes(Path(shop.lake.root))
        assert [name for name in names if name in after] == []
        assert_frame_equal(shop.events(), others)

    def test_hours_stay_valid_with_the_records_of_a_new_lake(self, shop: Shop) -> None:
        """Rows, repeats, rejects and objects of the person no longer count; nothing has to be compacted again."""
        shop.erase()
        assert shop.compact() == Compacted()
        shop.require_whole()

    def test_nothing_of_the_past_is_left(self, shop: Shop) -> None:
        """One snapshot, and no file that it does not need, whatever a killed run has left behind."""
        tables = open_tables(shop.lake, "shop-raw")
        files = Files(tables.events, "event_id", "event_timestamp")
        (orphan, *_) = files.write(files.read(files.tasks[:1]), START.date())
        tables.events.manage_snapshots().create_tag(tables.events.current_snapshot().snapshot_id, "kept").commit()  # type: ignore[union-attr]
        shop.erase()
        assert not Path(orphan.file_path.removeprefix("file://")).exists()
        for table in (open_tables(shop.lake).events, open_tables(shop.lake).orders):
            assert table.snapshots() == [table.current_snapshot()]
            assert len(table.metadata.metadata_log) <= 2

    def test_the_hashes_of_their_events_ids_go_too(self, shop: Shop) -> None:
        """By these one could tell that an event was there. The next compaction keeps those of other people."""
        theirs = shop.events().filter(client_id=ANNA)["event_id"].hash()
        others = shop.events().filter(client_id=BEN)["event_id"].hash()
        before = hashes(shop)
        assert not before.isdisjoint(theirs)
        shop.erase()
        assert hashes(shop).isdisjoint(theirs)
        shop.add(4 * DAY, clientId=BEN)
        shop.compact()
        assert hashes(shop).isdisjoint(theirs)
        assert not hashes(shop).isdisjoint(others)

    def test_statistics_that_hold_ids_are_gone_from_manifests(self, shop: Shop) -> None:
        """Other engines record the lowest and the greatest value of each column."""
        tables = open_tables(shop.lake, "shop-raw")
        with tables.events.transaction() as change:
            change.set_properties(
                {
                    "write.metadata.metrics.default": "full",
                    "write.metadata.metrics.column.client_id": "full",
                }
            )
        only = shop.add(5 * DAY, clientId=ANNA)
        shop.compact()
        metadata = Path(shop.lake.root, "clickstream/events/metadata")
        assert ANNA.encode() in lake_bytes(metadata)
        names = needles(shop)
        assert only.encode() in names
        shop.erase()
        after = lake_bytes(Path(shop.lake.root))
        assert [name for name in names if name in after] == []

    def test_the_last_row_of_a_lake_can_go(self, tmp_path: Path, warehouse_url: str) -> None:
        """Nothing is left then but empty tables."""
        objects = Objects()
        objects.add(received=1, clientId=ANNA)
        bucket = objects.write(tmp_path / "shop-raw")
        shop = Shop(objects, Place(bucket, warehouse_url, Location(str(tmp_path / "lake"))))
        shop.compact()
        names = needles(shop)
        assert shop.erase().is_nothing
        assert shop.events().is_empty()
        after = lake_bytes(Path(shop.lake.root))
        assert [name for name in names[:1] + names[4:] if name in after] == []

    def test_later_objects_of_the_person_stay_out(self, shop: Shop) -> None:
        """Compact, erase, compact, a late object, compact; `--again` removes the object, and the hour stays valid."""
        shop.erase()
        shop.compact()
        shop.add(DAY + 30, clientId=ANNA)
        shop.add(DAY + 31, clientId=BEN)
        done = shop.compact()
        assert (done.hours, done.erased) == (1, 1)
        found = search_again(shop.place)
        assert (len(found.own), found.lake) == (1, (0, 0, 0, 0))
        assert erase_again(shop.place, found).is_nothing
        assert shop.compact() == Compacted()
        assert ANNA.encode() not in lake_bytes(Path(shop.lake.root))
        shop.require_whole()

    def test_rows_that_a_compaction_brought_back_are_erased_again(self, shop: Shop) -> None:
        """Such as one on another computer, which had begun before the tombstone was there."""
        elsewhere = Location(f"{shop.lake.root} elsewhere")
        compact(shop.place.source, elsewhere, now=NOW)
        shop.erase()
        late = Shop(shop.objects, Place(shop.place.source, shop.place.dw_url, elsewhere))
        found = search_again(late.place)
        assert (found.own, found.lake) == ([], (9, 1, 0, 0))
        assert erase_again(late.place, found).is_nothing
        assert ANNA.encode() not in lake_bytes(Path(elsewhere.root))

    def test_rows_go_also_where_raw_has_expired(self, shop: Shop) -> None:
        """The records say how many were erased, and still add up."""
        for key in shop.objects.bodies:
            (Path(shop.place.source) / key).unlink()
        before = shop.records()
        names = needles(shop)
        assert shop.erase().is_nothing
        after = lake_bytes(Path(shop.lake.root))
        assert [name for name in names if name in after] == []
        rows = shop.events()
        for hour, record in shop.records().items():
            ids = rows.filter(pl.col("partition_hour") == hour)["event_id"]
            assert (record.rows, record.ids) == (ids.len(), hash_of_names(ids))
            assert record.adds_up
            assert record.objects == before[hour].objects
        assert sum(record.erased for record in shop.records().values()) == 9

    def test_an_event_that_another_person_sent_too_becomes_theirs(self, shop: Shop) -> None:
        """In the same hour or in a later one: the next compaction takes their object."""
        for number, later in enumerate((30.0, 2 * DAY)):
            name = f"22222222-0b0a-4908-8706-05040302010{number}"
            shop.add(10, clientId=ANNA, eventId=name)
            shop.add(10 + later, clientId=BEN, eventId=name)
        shop.compact()
        shop.erase()
        done = shop.compact()
        assert done.hours == 2
        assert shop.events().filter(pl.col("event_id").str.starts_with("2222"))["client_id"].to_list() == [BEN, BEN]
        shop.require_whole()

    def test_an_order_that_another_person_placed_too_becomes_theirs(self, shop: Shop) -> None:
        """Whether raw still has their event or not."""
        key = shop.add(2 * DAY, clientId=BEN, eventName="checkout_complete", order=ORDER)
        shop.compact()
        assert shop.orders()["client_id"].to_list() == [ANNA]
        shop.erase()
        assert shop.orders().select("client_id", "key").rows() == [(BEN, key)]
        shop.compact()
        shop.require_whole()

    def test_a_late_object_of_another_person_still_comes_in(self, shop: Shop) -> None:
        """Although its hour has fewer objects than were compacted, once those of the person are gone."""
        shop.add(40, clientId=BEN)
        shop.erase()
        done = shop.compact()
        assert (done.hours, done.gone) == (1, [])
        shop.require_whole()

    def test_mentions_go_only_if_they_are_asked_for(self, shop: Shop) -> None:
        """In any text of a row."""
        address = f"https://shop.example/?who={ANNA}"
        shop.add(HOUR, clientId=BEN, pageUrl=address)
        shop.compact()
        left = shop.erase()
        assert left.lake == (0, 0, 1, 0)
        assert address in shop.events()["page_url"].to_list()
        left = shop.erase(mentions=True)
        assert left.is_nothing
        assert ANNA.encode() not in lake_bytes(Path(shop.lake.root))
        shop.compact()
        shop.require_whole()

    def test_the_evidence_of_validation_mentions_nobody_either(self, shop: Shop) -> None:
        """A member may have an id as its name, whatever JSON makes of its letters."""
        name = 'the "größe" of anna'
        shop.add(HOUR, clientId=BEN, **{name: 1, ANNA: 1})
        shop.compact()
        before = lake_bytes(Path(shop.lake.root))
        spelled = json.dumps(json.dumps(name))[1:-1].encode()
        assert ANNA.encode() in before
        assert spelled in before
        person = Person([name, ANNA], [USER])
        assert look_into_lake(shop.lake, Search(person)) == (9, 1, 1, 0)
        assert erase(shop.place, person, search(shop.place, person), mentions=True).is_nothing
        after = lake_bytes(Path(shop.lake.root))
        assert ANNA.encode() not in after
        assert spelled not in after

    def test_the_hash_of_the_persons_address_goes_with_their_rows(self, shop: Shop) -> None:
        """And hours keep the evidence of the others: validation still takes them from the lake."""
        key = shop.add(HOUR, clientId=ANNA)
        path = Path(shop.place.source) / key
        path.write_bytes(path.read_bytes().replace(b'"_ingest": {', b'"_ingest": {"sourceIp": "203.0.113.7", '))
        shop.compact(span=(START, START + timedelta(hours=2)))
        (known,) = shop.events()["address_hash"].drop_nulls()
        assert known.encode() in lake_bytes(Path(shop.lake.root))
        assert shop.erase().is_nothing
        assert known.encode() not in lake_bytes(Path(shop.lake.root))
        span = (START, START + timedelta(days=1))
        raw, lake = (validate(shop.place.source, None, *span, "UTC", lake=each) for each in (False, shop.lake.root))
        assert raw.checks == lake.checks
        assert lake.lake_hours == 6  # all that have objects, of the day and of the days beside it

    def test_a_damaged_file_is_named_before_anything_is_erased(self, shop: Shop) -> None:
        """It may hold the person."""
        (first, *_) = open_tables(shop.lake).events.scan().plan_files()
        path = Path(first.file.file_path.removeprefix("file://"))
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(AnalysisError, match=r"\.parquet is damaged .*compact --verify"):
            shop.erase()
        assert any(ANNA.encode() in each.read_bytes() for each in Path(shop.place.source).rglob("*.json"))

    def test_a_lake_that_may_not_be_written_is_one_line(self, shop: Shop) -> None:
        """Which names it."""
        Path(shop.lake.root, "compact.lock").unlink()
        Path(shop.lake.root, "compact.lock").mkdir()
        with pytest.raises(AnalysisError, match=f"cannot use the lake {shop.lake.root}: "):
            shop.erase()

    def test_it_waits_for_a_compaction_that_runs(self, shop: Shop) -> None:
        """Whose files no snapshot names yet."""
        found: list[Found] = []
        thread = threading.Thread(target=lambda: found.append(shop.erase()))
        with shop.lake.locked():
            thread.start()
            time.sleep(1)
            assert thread.is_alive()
            assert shop.events().filter(pl.col("client_id") == ANNA).height == 9
        thread.join(60)
        assert found[0].is_nothing


class TestLakeOf:
    def test_a_lake_that_does_not_exist_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """And is not made. Only one that was named on the command line has to be there."""
        assert lake_of(None, tmp_path / "shop-raw") is None
        monkeypatch.setenv("LAKE", str(tmp_path / "lake"))
        assert lake_of(None, tmp_path / "shop-raw") is None
        with pytest.raises(NoLake, match="there is no lake in"):
            lake_of(str(tmp_path / "lake"), tmp_path / "shop-raw")
        assert not (tmp_path / "lake").exists()

    def test_the_lake_of_another_bucket_is_refused_if_it_was_named(self, shop: Shop, tmp_path: Path) -> None:
        """Its records are about other objects."""
        with pytest.raises(AnalysisError, match="holds the events of shop-raw, not of other"):
            lake_of(shop.lake.root, tmp_path / "other")
        assert lake_of(shop.lake.root, shop.place.source) == shop.lake


class TestCommand:
    @pytest.fixture
    def run(self, shop: Shop) -> Callable[..., Result]:
        """Give a function that runs the command over the shop."""
        options = ["--source", str(shop.place.source), "--dw", shop.place.dw_url, "--lake", shop.lake.root]
        return lambda *more: CliRunner().invoke(main, ["erase", *options, *more])

    def test_a_dry_run_counts_the_rows_of_the_lake_and_changes_nothing(
        self, shop: Shop, run: Callable[..., Result]
    ) -> None:
        """With exit code 1, since something was found."""
        before = lake_bytes(Path(shop.lake.root))
        result = run("--client-id", ANNA, "--dry-run", "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["found"]["lake"] == {"rows": 9, "orders": 1, "mentions": 0, "unfinished": 0}
        assert lake_bytes(Path(shop.lake.root)) == before
        assert "rows in the lake" in run("--client-id", ANNA, "--dry-run").stdout

    def test_it_erases_and_says_what_is_left(self, run: Callable[..., Result]) -> None:
        """Exit code 0: nothing."""
        result = run("--client-id", ANNA, "--user-id", USER, "--yes", "--json")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["left"]["lake"] == {"rows": 0, "orders": 0, "mentions": 0, "unfinished": 0}

    def test_a_lake_that_was_named_and_is_not_there_is_wrong_usage(self, run: Callable[..., Result]) -> None:
        """It was probably misspelled."""
        result = run("--client-id", ANNA, "--dry-run", "--lake", "/nowhere")
        assert result.exit_code == 2
        assert "there is no lake in /nowhere" in result.stderr
