from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import psycopg
import pytest

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.objects import KNOWN
from analysis.checks.validation.warehouse.rows import (
    altered_check,
    altered_rows,
    hours,
    missing_check,
    orphan_check,
    rows_in,
    rows_of,
)
from analysis.engines.warehouse import WarehouseEvents
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

END = START + timedelta(hours=1)
LAST = START + timedelta(seconds=2)


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Warehouse]:
    """Give a real, empty warehouse."""
    warehouse = Warehouse(warehouse_url)
    warehouse.insert(flatten(b'{"eventId": "older"}', "events/x.json", START - timedelta(days=1)))
    yield warehouse
    warehouse.close()


def project(warehouse: Warehouse, objects: Objects, *keys: str) -> None:
    """Insert the rows of some objects."""
    for key in keys:
        warehouse.insert(flatten(objects.bodies[key], key, datetime.now(UTC)))


class TestRowsIn:
    def test_the_rows_of_a_range(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """By their event_timestamp, the end excluded."""
        objects = Objects()
        project(warehouse, objects, *[objects.add() for _ in range(3)])
        assert rows_in(WarehouseEvents(warehouse_url), START, LAST).height == 1


class TestRowsOf:
    def test_the_rows_of_events(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Also those of another time; an event without a row has none."""
        objects = Objects()
        project(warehouse, objects, objects.add())
        objects.add()
        objects.add(eventId="older")
        assert rows_of(WarehouseEvents(warehouse_url), objects.described["event_id"]).height == 2


class TestMissingCheck:
    @pytest.mark.parametrize(
        ("places", "advice"),
        [
            ([3], "Look for these keys in the projector's log."),
            (range(10, 30), "Most events since 2026-11-25 09:00:11 UTC have no row: the warehouse is behind."),
            ([*range(10, 20), *range(21, 29)], "Most events since 2026-11-25 09:00:11 UTC have no row"),
            (range(10), "Look for these keys in the projector's log."),
            (range(0), "Look for these keys in the projector's log."),
        ],
        ids=["one", "the latest", "most of the latest", "the earliest", "none"],
    )
    def test_the_advice(self, places: Sequence[int], advice: str) -> None:
        """If most of the latest events have no row, the whole warehouse is behind."""
        objects = Objects()
        keys = [objects.add() for _ in range(30)]
        missing = objects.described.filter(pl.col("key").is_in([keys[place] for place in places]))
        check = missing_check(missing, objects.events)
        assert [finding["key"] for finding in check.findings] == [keys[place] for place in places]
        assert check.advice.startswith(advice)
        assert check.severity == "error"


class TestOrphanCheck:
    def test_rows_without_object(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Each with its id and its time."""
        objects = Objects()
        project(warehouse, objects, objects.add())
        (orphan,) = orphan_check(rows_in(WarehouseEvents(warehouse_url), START, END)).findings
        assert orphan == {"event_id": objects.described["event_id"][0], "event_timestamp": START + timedelta(seconds=1)}


class TestAlteredRows:
    @pytest.fixture
    def objects(self) -> Objects:
        """Give two events, the first of which came twice."""
        objects = Objects()
        objects.add(eventId="a", product={"id": "p", "price": 9})
        objects.add(eventId="a", product={"id": "p", "price": 9})
        objects.add()
        return objects

    @staticmethod
    def altered(objects: Objects, url: str) -> list[dict[str, object]]:
        rows = rows_in(WarehouseEvents(url), START, END)
        return altered_check(altered_rows(objects.described.select(KNOWN), rows)).findings

    @pytest.mark.parametrize("first", [0, 1])
    def test_a_row_of_any_of_its_objects(
        self, objects: Objects, warehouse: Warehouse, warehouse_url: str, first: int
    ) -> None:
        """Whichever the projector met first."""
        keys = list(objects.bodies)
        project(warehouse, objects, keys[first], *keys)
        assert self.altered(objects, warehouse_url) == []

    @pytest.mark.parametrize(
        ("changes", "columns"),
        [
            ("event_name = 'click'", "event_name"),
            ("context_product_price = NULL", "context_product_price"),
            ("is_first_visit = false, client_id = 'd'", "client_id, is_first_visit"),
            ("event_timestamp = event_timestamp + interval '9 min'", "event_timestamp"),
        ],
    )
    def test_an_altered_row(
        self, objects: Objects, warehouse: Warehouse, warehouse_url: str, changes: str, columns: str
    ) -> None:
        """Is named once, with the object and the columns that differ."""
        key = next(iter(objects.bodies))
        project(warehouse, objects, *objects.bodies)
        event_id = objects.described["event_id"][0]
        with psycopg.connect(warehouse_url) as connection:
            connection.execute(f"UPDATE clickstream_events SET {changes} WHERE event_id = '{event_id}'".encode())
        assert self.altered(objects, warehouse_url) == [{"event_id": event_id, "key": key, "columns": columns}]

    def test_a_copied_object_without_any_time(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Has another LastModified than its row; nobody altered the row."""
        objects = Objects()
        key = objects.put('{"eventId": "a", "eventName": "page_view"}')
        warehouse.insert(flatten(objects.bodies[key], key, START))
        assert self.altered(objects, warehouse_url) == []


class TestHours:
    def test_the_account_of_each_hour(self) -> None:
        """Objects are rows, duplicates, rejects, missing or not yet judged."""
        objects = Objects()
        for name in ("a", "b", "c", "a"):
            objects.add(eventId=name)
        objects.put("[1]")
        objects.put("[1]", START + timedelta(hours=2))
        repeated, lacking = objects.judged().repeated["key"], objects.described["event_id"].slice(2, 1)
        account = hours(Parts.of(objects.described), repeated, lacking)
        assert account.columns == ["hour", "objects", "rows", "duplicates", "rejects", "missing", "not_yet_judged"]
        assert account.rows() == [(START, 5, 2, 1, 1, 1, 0), (START + timedelta(hours=2), 1, 0, 0, 1, 0, 0)]
        key = objects.add()
        described = objects.described.with_columns(is_young=pl.col("key") == key)
        whole = hours(Parts.of(described.head(3), described.tail(-3)), repeated, None)
        assert whole.rows()[0] == (START, 6, 3, 1, 1, 0, 1)
