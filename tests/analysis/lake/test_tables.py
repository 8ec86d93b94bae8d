from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from analysis.errors import AnalysisError
from analysis.lake.compaction import compact
from analysis.lake.hours import Records
from analysis.lake.location import Location
from analysis.lake.schema import EVENT_COLUMNS, LAKE_VERSION
from analysis.lake.tables import Tables
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

HOUR = 3600.0
DAY = timedelta(days=1)
NOON = START + timedelta(hours=3)
NEXT_DAY = START + DAY

Events = Callable[[], pl.DataFrame]


class TestOpenTables:
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
