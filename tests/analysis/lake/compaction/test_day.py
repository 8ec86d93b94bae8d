from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.lake.compaction import compact
from analysis.lake.location import Location
from analysis.lake.tables import Tables
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOUR = 3600.0
DAY = timedelta(days=1)
NEXT_DAY = START + DAY


class TestCompactDay:
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
