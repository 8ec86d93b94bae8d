import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from analysis import AnalysisError, read_events, read_objects
from analysis.rows import reader
from analysis.rows.projection import Batch, Corrupt, Projection
from chalicelib.contract import COLUMNS
from chalicelib.envelope import IngestMetadata, envelope, iso_milliseconds
from chalicelib.keys import object_key

START = datetime(2026, 11, 24, 22, tzinfo=UTC)
END = START + timedelta(hours=3)
NAMES = [column.name for column in COLUMNS]


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., str]:
    """Give a function that stores one payload in the bucket `tmp_path` as ingest does; returns its key."""

    def put(payload: dict[str, object] | bytes, received_at: datetime = START, name: str | None = None) -> str:
        key = object_key(received_at, uuid4())
        if name:
            key = key[: key.rindex("/") + 1] + name
        metadata = IngestMetadata(
            receivedAt=iso_milliseconds(received_at),
            sourceIp="203.0.113.7",
            userAgent=None,
            method="POST",
            path="/clickstream",
            requestId=None,
            apiId=None,
            stage=None,
            traceId=None,
        )
        body = payload if isinstance(payload, bytes) else envelope(json.dumps(payload).encode(), metadata)
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return key

    return put


class TestReadEvents:
    def test_the_span_ends_before_its_end(self, store: Callable[..., str], tmp_path: Path) -> None:
        """By the partition's hour; hours of which there is nothing have no events."""
        for hours in (-1, 0, 2, 3):
            store({"eventName": str(hours)}, START + timedelta(hours=hours))
        assert read_events(tmp_path, START, END).frame["event_name"].to_list() == ["0", "2"]

    def test_a_span_may_start_and_end_at_any_instant(self, store: Callable[..., str], tmp_path: Path) -> None:
        """By the events' own time, to the microsecond; a zone changes nothing."""
        start, end = START + timedelta(minutes=30), START + timedelta(minutes=90)
        for moment in (start - timedelta(milliseconds=1), start, end - timedelta(milliseconds=1), end):
            store({"eventName": f"{moment:%H:%M:%S.%f}"}, moment)
        expected = ["22:30:00.000000", "23:29:59.999000"]
        assert read_events(tmp_path, start, end).frame["event_name"].to_list() == expected
        kathmandu = ZoneInfo("Asia/Kathmandu")
        local = read_events(tmp_path, start.astimezone(kathmandu), end.astimezone(kathmandu))
        assert local.frame["event_name"].to_list() == expected

    def test_an_event_counts_when_it_was_first_received(self, store: Callable[..., str], tmp_path: Path) -> None:
        """An event that is sent again inside the span counts before it, if its first object is in the same hour."""
        payload: dict[str, object] = {"eventId": str(uuid4())}
        store(payload, START)
        store(payload, START + timedelta(minutes=40))
        assert read_events(tmp_path, START + timedelta(minutes=30), END).frame.is_empty()

    def test_rejects_of_all_hours_that_cover_the_span_are_named(
        self, store: Callable[..., str], tmp_path: Path
    ) -> None:
        """A reject has no time of its own."""
        key = store(b"[]", START)
        events = read_events(tmp_path, START + timedelta(minutes=30), START + timedelta(minutes=31))
        assert events.corrupt["key"].to_list() == [key]

    def test_the_columns_are_the_contracts(self, tmp_path: Path) -> None:
        """Their names, order and types, even without any event."""
        frame = read_events(tmp_path, START, END).frame
        assert frame.columns == NAMES
        assert frame.schema["event_id"] == pl.String
        assert frame.schema["event_timestamp"] == pl.Datetime("us", "UTC")
        assert frame.schema["is_first_visit"] == pl.Boolean
        assert frame.schema["context_product_price"] == pl.Int64

    def test_of_one_event_id_the_first_received_counts(self, store: Callable[..., str], tmp_path: Path) -> None:
        """The lowest key of objects received at once; the order of files and the id's spelling change nothing."""
        later, event_id = START + timedelta(hours=2), str(uuid4())
        store({"eventId": event_id, "eventName": "later"}, later)
        store({"eventId": event_id.upper(), "eventName": "second"}, START, "b.json")
        store({"eventId": event_id, "eventName": "first"}, START, "a.json")
        assert read_events(tmp_path, START, END).frame["event_name"].to_list() == ["first"]
        kept = read_events(tmp_path, START, END, keep_duplicates=True).frame
        assert kept["event_name"].to_list() == ["first", "second", "later"]

    def test_rows_are_ordered_by_time_and_key(
        self, store: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many batches they were read in."""
        monkeypatch.setattr(reader, "BATCH_OBJECTS", 2)
        moments = [START + timedelta(minutes=minute) for minute in (50, 10, 10, 40, 0)]
        keys = [store({}, moment) for moment in moments]
        frame = read_events(tmp_path, START, END, fields=["key"]).frame
        assert frame["key"].to_list() == [key for _, key in sorted(zip(moments, keys, strict=True))]

    def test_large_objects_make_smaller_batches(
        self, store: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is in memory at once is bounded by bytes, too."""
        monkeypatch.setattr(reader, "BATCH_BYTES", 1)
        sizes: list[int] = []

        class Counting(Projection):
            def rows(self, batch: Batch) -> tuple[pl.DataFrame, list[Corrupt]]:
                sizes.append(len(batch[0]))
                return super().rows(batch)

        monkeypatch.setattr(reader, "Projection", Counting)
        for _ in range(3):
            store({})
        assert len(read_events(tmp_path, START, END).frame) == 3
        assert sizes == [1, 1, 1]

    def test_corrupt_objects_are_named_beside_the_rows(self, store: Callable[..., str], tmp_path: Path) -> None:
        """Key and reason, by key."""
        store({"eventName": "good"})
        keys = [store(b"[]", name="b.json"), store(b"", name="a.json")]
        events = read_events(tmp_path, START, END)
        assert events.frame["event_name"].to_list() == ["good"]
        assert events.corrupt["key"].to_list() == sorted(keys)
        assert events.corrupt["reason"].to_list() == [
            "the body is empty: send one JSON object",
            "the body is an array: send one JSON object",
        ]

    def test_raw_fields_follow_in_the_order_asked_for(self, store: Callable[..., str], tmp_path: Path) -> None:
        """Also those of `_ingest`, and the object's key."""
        payload = {"eventId": "x", "pageUrl": "https://shop.example/", "seq": 3, "order": {"total": 1.5}}
        key = store(payload | {"dropped": {"overflow": 2, "refused": 0}, "eventTimestamp": "2026-11-24T21:59:59.5Z"})
        fields = ["seq", "key", "page_url", "sent_event_id", "order", "dropped_overflow", "source_ip", "user_agent"]
        frame = read_events(tmp_path, START, END, fields=[*fields, "sent_event_timestamp"]).frame
        assert frame.columns == [*NAMES, *fields, "sent_event_timestamp"]
        assert frame.select(fields).row(0) == (
            3,
            key,
            "https://shop.example/",
            "x",
            '{"total": 1.5}',
            2,
            "203.0.113.7",
            None,
        )
        assert frame["sent_event_timestamp"].item() == START - timedelta(milliseconds=500)

    def test_an_unknown_field_is_an_error_that_lists_those_there_are(self, tmp_path: Path) -> None:
        """Nothing is read."""
        with pytest.raises(AnalysisError, match=r"unknown raw field pageUrl: choose from key, .*page_url"):
            read_events(tmp_path, START, END, fields=["pageUrl"])


class TestRelation:
    def test_it_has_the_warehouses_types(self, store: Callable[..., str], tmp_path: Path) -> None:
        """And the frame's rows, for as long as it is kept."""
        event_id = uuid4()
        store({"eventId": str(event_id), "isFirstVisit": True, "product": {"price": 5}})
        with duckdb.connect() as connection:
            relation = read_events(tmp_path, START, END).relation(connection)
            types = dict(zip(relation.columns, map(str, relation.types), strict=True))
            expected = {"TEXT": "VARCHAR", "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
            assert types == {column.name: expected.get(column.type, column.type) for column in COLUMNS}
            wanted = "event_id, epoch_ms(event_timestamp), is_first_visit, context_product_price"
            assert relation.project(wanted).fetchall() == [(event_id, int(START.timestamp() * 1000), True, 5)]
            assert isinstance(relation.project("event_id").fetchall()[0][0], UUID)


class TestReadObjects:
    def test_objects_come_as_they_are(self, store: Callable[..., str], tmp_path: Path) -> None:
        """Corrupt ones, too."""
        expected = {store(b"[]"): b"[]", store(b'{"a": 1}', START + timedelta(hours=1)): b'{"a": 1}'}
        assert dict(read_objects(tmp_path, START, END)) == expected
