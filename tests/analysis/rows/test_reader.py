import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from analysis import AnalysisError, Events, Range, RawEvents, discount_effect, read_events, read_objects, revenue
from analysis.raw import objects
from analysis.raw.objects import Batch
from analysis.rows import reader
from analysis.rows.projection import Corrupt, Projection
from analysis.rows.selection import Clock
from chalicelib.contract import COLUMNS
from chalicelib.envelope import IngestMetadata, envelope, iso_milliseconds
from chalicelib.keys import object_key
from tests.support.raw_objects import START as AT_NINE
from tests.support.raw_objects import Objects

START = datetime(2026, 11, 24, 22, tzinfo=UTC)
END = START + timedelta(hours=3)
NAMES = [column.name for column in COLUMNS]
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"


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
        monkeypatch.setattr(objects, "BATCH_OBJECTS", 2)
        moments = [START + timedelta(minutes=minute) for minute in (50, 10, 10, 40, 0)]
        keys = [store({}, moment) for moment in moments]
        frame = read_events(tmp_path, START, END, fields=["key"]).frame
        assert frame["key"].to_list() == [key for _, key in sorted(zip(moments, keys, strict=True))]

    def test_large_objects_make_smaller_batches(
        self, store: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is in memory at once is bounded by bytes, too."""
        monkeypatch.setattr(objects, "BATCH_BYTES", 1)
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

    def test_the_range_looks_back_for_the_first_receipt_of_an_event(
        self, store: Callable[..., str], tmp_path: Path
    ) -> None:
        """Received on the 23rd at 23:59:58 and on the 24th at 9:00, an event counts once, on the 23rd."""
        days = [datetime(2026, 11, day, tzinfo=UTC) for day in (23, 24, 25)]
        event_id = str(uuid4())
        store({"eventId": event_id, "eventName": "first"}, days[1] - timedelta(seconds=2))
        store({"eventId": event_id.upper(), "eventName": "again"}, days[1] + timedelta(hours=9))
        store({"eventName": "other"}, days[1] + timedelta(hours=9))
        assert read_events(tmp_path, days[0], days[1]).frame["event_name"].to_list() == ["first"]
        assert read_events(tmp_path, days[1], days[2]).frame["event_name"].to_list() == ["other"]
        assert read_events(tmp_path, days[0], days[2]).frame["event_name"].to_list() == ["first", "other"]
        blind = read_events(tmp_path, days[1], days[2], lookback=timedelta(0)).frame
        assert sorted(blind["event_name"]) == ["again", "other"]

    def test_the_lookback_is_exact(self, store: Callable[..., str], tmp_path: Path) -> None:
        """To the millisecond, within an hour too; a reject before the range is not reported."""
        event_id = str(uuid4())
        store({"eventId": event_id}, START - timedelta(minutes=90))
        store(b"[]", START - timedelta(minutes=90))
        store({"eventId": event_id})
        for lookback, events in ((timedelta(minutes=90), 0), (timedelta(minutes=89, seconds=59.999), 1)):
            read = read_events(tmp_path, START, END, lookback=lookback)
            assert (read.frame.height, read.corrupt.height, read.lookback) == (events, 0, lookback)

    def test_every_object_is_kept_on_request(self, store: Callable[..., str], tmp_path: Path) -> None:
        """But no object from before the range."""
        event_id = str(uuid4())
        for hours in (-1, 0, 1):
            store({"eventId": event_id, "eventName": str(hours)}, START + timedelta(hours=hours))
        assert read_events(tmp_path, START, END, keep_duplicates=True).frame["event_name"].to_list() == ["0", "1"]
        timed = read_events(tmp_path, START, END, keep_duplicates=True, fields=["occurred_at"]).frame
        assert timed["event_name"].to_list() == ["0", "1"]

    def test_a_negative_lookback_or_another_clock_is_an_error(self, tmp_path: Path) -> None:
        """Which says what to write."""
        with pytest.raises(AnalysisError, match=r"write timedelta\(hours=24\)"):
            read_events(tmp_path, START, END, lookback=timedelta(hours=-1))
        for most in ({"lookback": timedelta.max}, {"clock": "occurred", "lookahead": timedelta.max}):
            with pytest.raises(AnalysisError, match="no calendar reaches as far as this lookback or lookahead"):
                read_events(tmp_path, START, END, **most)
        with pytest.raises(AnalysisError, match="clock must be one of received, occurred, not 'sent'"):
            read_events(tmp_path, START, END, clock="sent")  # type: ignore[arg-type]


class TestOccurred:
    @pytest.fixture
    def sent(self, store: Callable[..., str]) -> Callable[..., str]:
        """Give a function that stores an event of one tab, sent and received so many minutes after START."""

        def put(name: str, seq: int, sent: float, received: float) -> str:
            sent_at = iso_milliseconds(START + timedelta(minutes=sent))
            members = {"eventName": name, "clientId": "c", "tabId": "t", "seq": seq, "eventTimestamp": sent_at}
            return store(members, START + timedelta(minutes=received))

        return put

    def test_a_field_says_when_events_happened(self, sent: Callable[..., str], tmp_path: Path) -> None:
        """Beside the time of receipt, by which they are ordered; with the columns asked for, and no others."""
        sent("quick", 1, 10, 10)
        sent("late", 2, 11, 70)
        frame = read_events(tmp_path, START, END, fields=["occurred_at"]).frame
        assert frame.columns == [*NAMES, "occurred_at"]
        assert frame.schema["occurred_at"] == pl.Datetime("us", "UTC")
        minutes = [(time - START) / timedelta(minutes=1) for time in frame["occurred_at"]]
        assert (frame["event_name"].to_list(), minutes) == (["quick", "late"], [10, 11])

    def test_seconds_since_1970_are_a_browsers_time_of_this_field_only(
        self, store: Callable[..., str], tmp_path: Path
    ) -> None:
        """The contract's columns stay ISO-8601."""
        received_at = START + timedelta(hours=1)
        store({"clientId": "c", "eventTimestamp": START.timestamp()}, received_at)
        store({"clientId": "c", "eventTimestamp": str(int(received_at.timestamp() * 1000))}, received_at)
        frame = read_events(tmp_path, START, END, fields=["occurred_at", "sent_event_timestamp"]).frame
        assert sorted(frame["occurred_at"]) == [START, received_at]
        assert frame["event_timestamp"].to_list() == [received_at, received_at]
        assert frame["sent_event_timestamp"].to_list() == [None, None]

    def test_the_events_of_a_range_occurred_in_it(self, sent: Callable[..., str], tmp_path: Path) -> None:
        """An event that arrived later counts; an event that occurred earlier does not."""
        sent("before", 1, -20, 5)
        sent("quick", 2, 10, 10)
        sent("late", 3, 170, 185)
        sent("after", 4, 181, 181)
        read = read_events(tmp_path, START, END, clock="occurred")
        assert read.frame.columns == [*NAMES, "occurred_at", "tab_id", "seq"]
        assert (read.frame["event_name"].to_list(), read.clock) == (["quick", "late"], "occurred")
        received = read_events(tmp_path, START, END).frame
        assert received["event_name"].to_list() == ["before", "quick"]

    def test_the_lookahead_says_how_late_an_event_may_be(self, sent: Callable[..., str], tmp_path: Path) -> None:
        """A day by default."""
        sent("quick", 1, 10, 10)
        sent("late", 2, 179, 180 + 24 * 60 - 1)
        sent("too late", 3, 179, 180 + 24 * 60)
        for lookahead, names in ((timedelta(hours=24), ["quick", "late"]), (timedelta(hours=25), None)):
            frame = read_events(tmp_path, START, END, clock="occurred", lookahead=lookahead).frame
            assert frame["event_name"].to_list() == (names or ["quick", "late", "too late"])

    def test_clocks_are_judged_by_the_events_before_and_after_the_range_too(
        self, sent: Callable[..., str], tmp_path: Path
    ) -> None:
        """The range's only event waited; without the one before it, its clock would seem to be behind."""
        sent("before", 1, -30, -30)
        sent("late", 2, 10, 70)
        for lookback, minutes in ((timedelta(hours=1), 10), (timedelta(0), 70)):
            frame = read_events(tmp_path, START, END, fields=["occurred_at"], lookback=lookback).frame
            assert frame["occurred_at"].to_list() == [START + timedelta(minutes=minutes)]


class TestOrdersBefore:
    def order(self, store: Callable[..., str], hours: float, **members: object) -> None:
        payload = {"eventName": "checkout_complete", "order": {"id": "7"}, **members}
        store(payload, START + timedelta(hours=hours))

    def test_orders_of_the_lookback_come_beside_the_events(self, store: Callable[..., str], tmp_path: Path) -> None:
        """If `order` is a field; other events do not."""
        self.order(store, -1, userLoginState="logged_in")
        self.order(store, 1)
        store({"eventName": "page_view"}, START - timedelta(hours=1))
        before = read_events(tmp_path, START, END, fields=["order"]).orders_before
        wanted = ("event_timestamp", "event_name", "user_login_state", "order")
        assert before.select(wanted).rows() == [
            (START - timedelta(hours=1), "checkout_complete", "logged_in", '{"id": "7"}')
        ]
        assert read_events(tmp_path, START, END).orders_before.is_empty()

    def test_an_order_that_occurred_before_the_range_is_one_of_them(
        self, store: Callable[..., str], tmp_path: Path
    ) -> None:
        """Even if it was received in the range."""
        early = iso_milliseconds(START - timedelta(hours=1))
        store({"clientId": "c", "eventTimestamp": iso_milliseconds(START)})
        self.order(store, 1, clientId="c", eventTimestamp=early)
        read = read_events(tmp_path, START, END, fields=["order"], clock="occurred")
        assert read.orders_before["event_timestamp"].to_list() == [START - timedelta(hours=1)]
        assert read.frame.height == 1


class TestPriceDecimals:
    @pytest.mark.parametrize(
        ("price_decimals", "expected"), [(None, [13, 0]), (0, [13, 0]), (2, [1299, 49]), (6, [12_990_000, 490_000])]
    )
    def test_prices_keep_as_many_as_are_wanted(
        self, price_decimals: int | None, expected: list[int], store: Callable[..., str], tmp_path: Path
    ) -> None:
        """12.99 and 0.49, also as text; by default none are kept."""
        for seconds, price in enumerate((12.99, "0.49")):
            store({"product": {"price": price, "discountPrice": price}}, START + timedelta(seconds=seconds))
        events = read_events(tmp_path, START, END, price_decimals=price_decimals)
        for name in ("context_product_price", "context_product_discount_price"):
            assert events.frame[name].to_list() == expected
        assert events.price_decimals == (price_decimals or 0)

    def test_the_environment_says_how_many(
        self, store: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """If the caller does not; both have to be 0 to 6."""
        store({"product": {"price": 12.99}})
        monkeypatch.setenv("PRICE_DECIMALS", "2")
        assert read_events(tmp_path, START, END).frame["context_product_price"].to_list() == [1299]
        assert read_events(tmp_path, START, END, price_decimals=0).frame["context_product_price"].to_list() == [13]
        with pytest.raises(AnalysisError, match="price_decimals must be a whole number from 0 to 6, not -1"):
            read_events(tmp_path, START, END, price_decimals=-1)
        monkeypatch.setenv("PRICE_DECIMALS", "cents")
        with pytest.raises(AnalysisError, match="PRICE_DECIMALS must be a whole number from 0 to 6, not 'cents'"):
            read_events(tmp_path, START, END)

    @pytest.mark.parametrize(("price_decimals", "is_discounted"), [(0, False), (2, True)])
    def test_a_discount_of_cents_needs_cents(
        self, price_decimals: int, *, is_discounted: bool, store: Callable[..., str], tmp_path: Path
    ) -> None:
        """Without decimals, 12.99 and 12.60 are both 13."""
        store({"eventName": "product_view", "product": {"price": 12.99, "discountPrice": 12.6}})
        events = read_events(tmp_path, START, END, price_decimals=price_decimals)
        effect = discount_effect(RawEvents(events.frame, price_decimals=price_decimals), Range(START, END))
        assert effect["is_discounted"].to_list() == [is_discounted]


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


class TestBots:
    def test_their_events_may_be_left_out(self, store: Callable[..., str], tmp_path: Path) -> None:
        """By the user agent, which becomes a column only if it is asked for."""
        for name, user_agent in (("bot", GOOGLEBOT), ("person", CHROME)):
            ingest = {"receivedAt": iso_milliseconds(START), "userAgent": user_agent}
            store(json.dumps({"eventName": name, "_ingest": ingest}).encode())
        assert sorted(read_events(tmp_path, START, END).frame["event_name"]) == ["bot", "person"]
        people = read_events(tmp_path, START, END, bots=False).frame
        assert (people["event_name"].to_list(), people.columns) == (["person"], NAMES)
        assert read_events(tmp_path, START, END, bots=False, fields=["user_agent"]).frame.columns[-1] == "user_agent"

    @pytest.mark.parametrize("clock", ["received", "occurred"])
    @pytest.mark.parametrize("lookback", [timedelta(0), timedelta(hours=24)])
    def test_by_both_clocks_and_with_any_lookback(self, clock: Clock, lookback: timedelta, tmp_path: Path) -> None:
        """By the user agent of each event, also before the range and after it; no event of a person is lost."""
        sent = Objects()
        order: dict[str, Any] = {
            "eventName": "checkout_complete",
            "order": {"id": "7", "total": "13.00", "currency": "USD"},
        }
        for client, user_agent in (("person", CHROME), ("bot", GOOGLEBOT)):
            mine: dict[str, Any] = {
                "clientId": client,
                "tabId": client,
                "product": {"price": 12.99},
                "user_agent": user_agent,
            }
            for seq, hours in enumerate((-1, 0, 1), 1):
                sent.add(hours * 3600, seq=seq, **mine)
            sent.add(26 * 3600, sent=7200, seq=4, **mine)
        sent.add(-3600, clientId="bot", user_agent=GOOGLEBOT, **order)
        sent.add(60, clientId="person", user_agent=CHROME, **order)
        bodies = {key: json.loads(body) for key, body in sent.bodies.items()}
        for key, event in bodies.items():
            event["_ingest"]["userAgent"] = event.pop("user_agent")
            sent.bodies[key] = json.dumps(event).encode()
        span = (AT_NINE, AT_NINE + timedelta(hours=3))
        bucket = sent.write(tmp_path)

        def read(*, bots: bool) -> Events:
            return read_events(
                bucket, *span, clock=clock, lookback=lookback, fields=["order"], price_decimals=2, bots=bots
            )

        everybody, people = read(bots=True), read(bots=False)
        late = clock == "occurred"
        assert people.frame["client_id"].to_list() == ["person"] * (4 if late else 3)
        assert everybody.frame.filter(pl.col("client_id") == "bot").height == (3 if late else 2)
        assert set(people.frame["context_product_price"].drop_nulls()) == {1299}
        assert people.frame.columns == [column for column in everybody.frame.columns if column != "user_agent"]
        # The bot had placed the order before: with bots, it is no order of the range.
        orders = [revenue(RawEvents(events), Range(*span))["orders"].sum() for events in (everybody, people)]
        assert orders == [1 if lookback == timedelta(0) else 0, 1]
