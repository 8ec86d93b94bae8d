from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from analysis.checks.validation.finding import Check
from analysis.checks.validation.rows import hours, row_checks, row_ids
from analysis.metrics.engine import WarehouseEvents
from chalicelib.flatten import flatten
from chalicelib.warehouse.client import Warehouse
from tests.support.raw_objects import START, Objects

END = START + timedelta(hours=1)


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


def check(objects: Objects, url: str, name: str) -> Check:
    """One of the checks, over the hour from START."""
    rows = row_ids(WarehouseEvents(url), objects.events, START, END)
    return next(check for check in row_checks(objects.events, rows, START, END) if check.name == name)


class TestRowChecks:
    def test_missing_rows(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """The very keys that have no row; repeated objects are none, and rejects neither."""
        objects = Objects()
        keys = [objects.add() for _ in range(5)]
        project(warehouse, objects, *keys[:3])
        objects.add(received=99, eventId="twice")
        project(warehouse, objects, objects.add(received=98, eventId="twice"))
        objects.put("[1]")
        assert [item["key"] for item in check(objects, warehouse_url, "missing_rows").findings] == keys[3:]

    @pytest.mark.usefixtures("warehouse")
    def test_a_row_received_outside_the_span_is_a_row(self, warehouse_url: str) -> None:
        """As where the first delivery of an event was in another hour."""
        objects = Objects()
        objects.add(eventId="older")
        assert check(objects, warehouse_url, "missing_rows").is_passed

    def test_rows_without_object(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Of this span only."""
        objects = Objects()
        key = objects.add()
        project(warehouse, objects, key)
        objects.bodies.pop(key)
        objects.add(received=5)
        (orphan,) = check(objects, warehouse_url, "rows_without_object").findings
        assert orphan["event_timestamp"] == START + timedelta(seconds=1)


class TestHours:
    def test_the_account_of_each_hour(self, warehouse: Warehouse, warehouse_url: str) -> None:
        """Objects are rows, duplicates, rejects or missing."""
        objects = Objects()
        keys = [objects.add(eventId=name) for name in ("a", "b", "c", "a")]
        project(warehouse, objects, *keys[:2])
        objects.put("[1]")
        objects.put("[1]", START + timedelta(hours=2))
        rows = row_ids(WarehouseEvents(warehouse_url), objects.events, START, END)
        account = hours(objects.described, objects.events, rows)
        assert account.rows() == [
            (START, 5, 2, 1, 1, 1),
            (START + timedelta(hours=2), 1, 0, 0, 1, 0),
        ]
        assert account.select(pl.sum_horizontal("rows", "duplicates", "rejects", "missing")).to_series().to_list() == [
            5,
            1,
        ]
