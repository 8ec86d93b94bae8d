from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.lake.compaction import compact
from analysis.lake.location import Location
from analysis.lake.schema import EVENT_COLUMNS
from analysis.rows.fields import RAW_FIELDS
from analysis.rows.reader import read_events, read_hours
from tests.support.raw_objects import START, Objects

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
NEXT_DAY = START + DAY

Events = Callable[[], pl.DataFrame]


class TestReadHours:
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
