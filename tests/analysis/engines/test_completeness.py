from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from analysis import WarehouseEvents
from analysis.engines.completeness import Completeness, completeness_of, first_incomplete_hour
from chalicelib.warehouse.schema import SCHEMA
from tests.support.event_rows import fill

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 24, 22, tzinfo=UTC)
AT = START + timedelta(days=1)
RECORD = """
INSERT INTO clickstream_hours
    (hour, objects, rows, rejects, repeats, erased, before_horizon, digest, checked_at, complete)
VALUES (%s, 1, 1, 0, 0, 0, 0, '', %s, %s)
"""


class TestCompletenessOf:
    def test_it_counts_the_hours_of_the_range(self, warehouse_url: str) -> None:
        """An hour counts if a part of it is in the range; the last look is the latest of these."""
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
            for number, is_complete in ((-1, False), (0, True), (1, True), (2, False), (3, False)):
                hour = START + timedelta(hours=number)
                connection.execute(RECORD, (hour, AT + timedelta(minutes=number), is_complete))
        found = completeness_of(
            WarehouseEvents(warehouse_url), START + timedelta(minutes=30), START + timedelta(hours=2, minutes=1)
        )
        assert found == Completeness(hours=3, complete=2, checked_at=AT + timedelta(minutes=2))

    def test_a_range_at_which_it_has_not_looked_is_not_judged(self, warehouse_url: str) -> None:
        """Nor one of a warehouse that was made before the table was there."""
        fill(warehouse_url, [])  # as before there was such a table
        assert completeness_of(WarehouseEvents(warehouse_url), START, AT) is None
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
        assert completeness_of(WarehouseEvents(warehouse_url), START, AT) is None


class TestFirstIncompleteHour:
    def test_it_is_the_first_of_the_range(self, warehouse_url: str) -> None:
        """None of a range whose hours are all complete, and where nobody has looked."""
        warehouse = WarehouseEvents(warehouse_url)
        fill(warehouse_url, [])
        assert first_incomplete_hour(warehouse, START, AT) is None
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
            for number, is_complete in ((-1, False), (0, True), (1, True), (2, False), (3, False)):
                connection.execute(RECORD, (START + timedelta(hours=number), AT, is_complete))
        assert first_incomplete_hour(warehouse, START + timedelta(minutes=30), AT) == START + timedelta(hours=2)
        assert first_incomplete_hour(warehouse, START, START + timedelta(hours=2)) is None
