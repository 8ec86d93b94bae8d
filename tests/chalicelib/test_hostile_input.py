"""Hostile requests the whole way: through ingest into storage, and from there into a row of a real PostgreSQL."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from chalicelib.contract import COLUMNS, TABLE
from chalicelib.flatten import flatten
from chalicelib.ingest import Response, handle
from chalicelib.projection import projector
from chalicelib.settings import Settings
from chalicelib.storage import RawObject
from chalicelib.warehouse.client import Warehouse
from emulator.triggers.notification import object_created
from tests.fuzz.oracle import check_stored
from tests.support.json_texts import hostile_payloads

NOW = datetime(2026, 11, 24, 22, tzinfo=UTC)
SQL = "'); DROP TABLE clickstream_events; --"
PATH = "../../../../etc/passwd"
PRIVATE = "private-text-of-the-event"
TEXT_SOURCES = sorted({source for column in COLUMNS if column.type == "TEXT" for source in column.sources})


def repr_of(value: object) -> str:
    """A name for a parameter that may have a million characters."""
    return repr(value)[:40]


class Pipeline:
    """Ingest, a storage that remembers, and a projector into a real warehouse."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.warehouse = Warehouse(url)
        self.objects: dict[str, bytes] = {}

    def put(self, _bucket: str, key: str, body: bytes) -> None:
        self.objects[key] = body

    def get(self, _bucket: str, key: str) -> RawObject:
        return RawObject(self.objects[key], NOW)

    def post(self, body: bytes, *, source_ip: str | None = None, **headers: str) -> Response:
        """POST one body; every 2xx has to be the body, stored."""
        event = {
            "requestContext": {"httpMethod": "POST", "path": "/clickstream", "identity": {"sourceIp": source_ip}},
            "headers": {"Content-Type": "application/json"} | headers,
            "body": body,
        }
        before = len(self.objects)
        answer = handle(event, None, Settings(), self)
        assert (answer.status == 200) == (len(self.objects) == before + 1)
        if answer.status == 200:
            check_stored(body, self.objects[answer.body["key"]])
        return answer

    def row(self, body: bytes) -> dict[str, Any]:
        """The row that one body becomes."""
        key = self.post(body).body["key"]
        row = flatten(self.objects[key], key, NOW)
        assert self.warehouse.insert_all([row]) != ["erased"]
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            found = connection.execute(f"SELECT * FROM {TABLE} WHERE event_id = %s".encode(), (row[0],)).fetchone()
        assert found is not None
        return found


@pytest.fixture(scope="module")
def pipeline(new_database: Callable[[], AbstractContextManager[str]]) -> Iterator[Pipeline]:
    """Give one for all tests: each event has an id of its own."""
    with new_database() as url:
        pipeline = Pipeline(url)
        yield pipeline
        pipeline.warehouse.close()


class TestStored:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"a":' + b"[" * 99 + b"]" * 99 + b"}",
            b'{"a":' + b"9" * 100_000 + b'e-1,"b":1e999999999,"c":-0.0}',
            b'{"eventId":"a","eventId":"b","__proto__":{"eventId":"c"},"constructor":{"prototype":1},"toString":null}',
            b'{"userId":"\\ud800","eventName":"\\udc00\\ud800","clientId":"\\u0000"}',
            b'\xef\xbb\xbf{"a":1}',
            b'{"text":"' + b"x" * (2**20 - 12) + b'"}',
            b'{"_ingest":{"receivedAt":"1970-01-01T00:00:00Z"},"\\u005fingest":0,"a":{"_ingest":1}}',
            b' \r\n\t{ "a" : [ ] , "b" : { } } \n',
        ],
        ids=["deep", "huge numbers", "duplicates", "surrogates", "BOM", "a mebibyte", "_ingest", "blanks"],
    )
    def test_it_is_what_was_sent_and_becomes_a_row(self, body: bytes, pipeline: Pipeline) -> None:
        """Deep, huge, repeated, half a character, marked, a mebibyte, or in the name of our own member."""
        row = pipeline.row(body)
        assert row["event_timestamp"] > datetime(2026, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", 400),
            (b"[" * 500_000, 400),
            (b'{"a":' * 150_000, 400),
            (b'{"a":"\xff"}', 400),
            (b'{"a":"\xed\xa0\x80"}', 400),
            (b'{"a":"\xc0\x80"}', 400),
            (b"\xff\xfe{\x00}\x00", 400),
            (b"\xef\xbb\xbf\xef\xbb\xbf{}", 400),
            (b'{"a":1e}', 400),
            (b'{"a":0x10}', 400),
            (b"{'a':1}", 400),
            (b'{"a":1}{"b":2}', 400),
            (b'{"a":"' + b"x" * 2**20 + b'"}', 413),
        ],
        ids=repr_of,
    )
    def test_what_is_no_event_is_refused(self, body: bytes, status: int, pipeline: Pipeline) -> None:
        """With an answer that says so, and nothing is stored."""
        answer = pipeline.post(body)
        assert answer.status == status
        assert answer.body["success"] is False

    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(payload=hostile_payloads)
    def test_any_event_becomes_a_row(self, payload: str, pipeline: Pipeline) -> None:
        """Whatever stands in the contract's members."""
        pipeline.row(payload.encode())


class TestRows:
    @pytest.mark.parametrize("source", TEXT_SOURCES)
    def test_sql_is_text(self, source: str, pipeline: Pipeline) -> None:
        """In every field that takes text; the table stays."""
        outer, _, inner = source.partition(".")
        value: Any = SQL
        for name in reversed(inner.split(".") if inner else []):
            value = {name: value}
        row = pipeline.row(json.dumps({"eventId": f"sql {source}", outer: value}).encode())
        assert SQL in row.values()

    @pytest.mark.parametrize(
        "event_id", [SQL, PATH, "..", "/", "events/2026/x.json", "%2e%2e%2f", "\x00", "<b>", "a" * 300_000]
    )
    def test_an_event_id_is_no_path_and_no_statement(self, event_id: str, pipeline: Pipeline) -> None:
        """It is hashed, and the object's key has nothing of it."""
        answer = pipeline.post(json.dumps({"eventId": event_id}).encode())
        assert answer.body["key"].startswith("events/20")
        assert ".." not in answer.body["key"]
        expected = uuid5(NAMESPACE_URL, event_id.replace("\0", "\ufffd"))
        assert pipeline.row(json.dumps({"eventId": event_id}).encode())["event_id"] == expected

    def test_names_of_prototypes_are_names(self, pipeline: Pipeline) -> None:
        """And mean nothing."""
        row = pipeline.row(b'{"eventId":"proto","__proto__":{"userId":"x"},"product":{"__proto__":{"id":"x"}}}')
        assert (row["user_id"], row["context_product_id"]) == (None, None)

    def test_the_last_of_duplicates_counts(self, pipeline: Pipeline) -> None:
        """As the contract says; all of them are stored."""
        row = pipeline.row(
            b'{"eventId":"first","eventId":"00000000-0000-4000-8000-00000000000a","userId":"a","userId":"b"}'
        )
        assert (row["event_id"], row["user_id"]) == (UUID("00000000-0000-4000-8000-00000000000a"), "b")


EVERYWHERE = dict.fromkeys((source.partition(".")[0] for source in TEXT_SOURCES), PRIVATE)
NESTED = {"product": {"id": PRIVATE, "name": PRIVATE}, "order": {"id": PRIVATE}, "text": PRIVATE, PRIVATE: [PRIVATE]}


class TestText:
    @pytest.mark.parametrize(
        "body",
        [
            json.dumps(EVERYWHERE),
            json.dumps(NESTED),
            f'{{"eventId": "{PRIVATE}", "_ingest": "{PRIVATE}"}}',
            f'{{"{PRIVATE}"',
            f'{{"a": {PRIVATE}}}',
            f'{{"a": "{PRIVATE}',
            f'{{"a": "{PRIVATE}", "b": NaN}}',
            f'{{"a": "{PRIVATE}\x01"}}',
            f'["{PRIVATE}"]',
            f'"{PRIVATE}"',
            PRIVATE,
        ],
        ids=repr_of,
    )
    def test_none_of_an_event_gets_into_a_key_a_header_or_a_log_line(
        self, body: str, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Neither of one that is stored nor of one that is refused, nor of an object that is a reject."""
        answer = pipeline.post(body.encode(), **{"User-Agent": PRIVATE, "X-Amzn-Trace-Id": PRIVATE, "Origin": PRIVATE})
        written = f"events/2026/11/24/22/event-{uuid4()}.json"
        pipeline.objects[written] = body.encode()
        keys = [key for key in (answer.body.get("key"), written) if key]
        for key in keys:
            projector.handle(object_created("raw", key, 1), pipeline, pipeline.warehouse)
        logged = capsys.readouterr().out
        assert len(logged.splitlines()) == 1 + len(keys)
        assert PRIVATE not in f"{keys} {answer.headers} {logged}"

    def test_only_the_event_id_is_logged_and_it_is_a_uuid(
        self, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The client's own, or the hash of whatever else the client has sent as one."""
        own = str(uuid4())
        for event_id, logged in ((own, own), (PRIVATE, str(uuid5(NAMESPACE_URL, PRIVATE)))):
            key = pipeline.post(json.dumps({"eventId": event_id}).encode()).body["key"]
            capsys.readouterr()
            projector.handle(object_created("raw", key, 1), pipeline, pipeline.warehouse)
            assert json.loads(capsys.readouterr().out)["event_id"] == logged


class TestWhoSent:
    def test_addresses_and_user_agents_are_in_raw_only(self, pipeline: Pipeline) -> None:
        """No column has them."""
        key = pipeline.post(b"{}", **{"User-Agent": "Private/1.0"}, source_ip="203.0.113.9").body["key"]
        metadata = json.loads(pipeline.objects[key])["_ingest"]
        assert (metadata["userAgent"], metadata["sourceIp"]) == ("Private/1.0", "203.0.113.9")
        row = repr(flatten(pipeline.objects[key], key, NOW))
        assert "Private/1.0" not in row
        assert "203.0.113.9" not in row


class TestHeaders:
    @given(value=st.text(max_size=50))
    def test_no_header_of_the_answer_can_be_split(self, value: str, pipeline: Pipeline) -> None:
        """Whatever a client says of itself: it is text in `_ingest`, and nothing else."""
        hostile = f"https://a.example\r\nSet-Cookie: a=b{value}"
        answer = pipeline.post(b"{}", **{"Origin": hostile, "User-Agent": hostile, "X-Amzn-Trace-Id": hostile})
        assert answer.status == 200
        assert not any("\n" in each or "\r" in each for each in answer.headers.values())
        stored = json.loads(pipeline.objects[answer.body["key"]])
        assert stored["_ingest"]["userAgent"] == stored["_ingest"]["traceId"] == hostile
