import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from chalicelib import ingest
from chalicelib.envelope import IngestMetadata
from chalicelib.errors import StorageUnavailable
from chalicelib.ingest import Response
from chalicelib.json_object import members
from chalicelib.settings import Settings

SETTINGS = Settings(allowed_origins=frozenset({"https://shop.example"}), max_event_bytes=100)


class Storage:
    """A bucket in memory that can be told to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self._error = error

    def put(self, bucket: str, key: str, body: bytes) -> None:
        if self._error is not None:
            raise self._error
        self.objects[bucket, key] = body


@pytest.fixture
def storage() -> Storage:
    """Give an empty bucket."""
    return Storage()


@pytest.fixture
def post(api_event: Callable[..., dict[str, Any]], storage: Storage) -> Callable[..., Response]:
    """Give a function that posts a body."""
    return lambda body, *args, **headers: ingest.handle(api_event(body, *args, **headers), None, SETTINGS, storage)


class TestHandle:
    def test_an_event_is_stored_and_acknowledged_with_its_key(
        self, post: Callable[..., Response], storage: Storage
    ) -> None:
        """200 and the key, below this hour; the object is the event and `_ingest`."""
        answer = post('{"eventName": "page_view"}')
        ((bucket, key),) = storage.objects
        assert answer.status == 200
        assert answer.body == {"success": True, "key": key}
        assert bucket == "clickstream-s3-ingest"
        assert key.startswith(f"events/{datetime.now(UTC):%Y/%m/%d/%H}/event-")
        stored = storage.objects[bucket, key].decode()
        assert [name for name, _ in members(stored)] == ["eventName", "_ingest"]
        assert len(json.loads(stored)["_ingest"]) == 9

    @pytest.mark.parametrize(
        ("store_ip", "kept"), [("full", "203.0.113.7"), ("truncated", "203.0.113.0"), ("none", None)]
    )
    def test_the_address_is_kept_as_the_stage_says(
        self, api_event: Callable[..., dict[str, Any]], storage: Storage, store_ip: str, kept: str | None
    ) -> None:
        """`_ingest` has its nine members in every case, in the same order."""
        event = api_event("{}")
        event["requestContext"]["identity"] = {"sourceIp": "203.0.113.7"}
        ingest.handle(event, None, Settings(store_ip=store_ip), storage)
        (stored,) = storage.objects.values()
        told = json.loads(stored)["_ingest"]
        assert list(told) == list(IngestMetadata.__annotations__)
        assert told["sourceIp"] == kept

    def test_every_request_gets_a_key_of_its_own(self, post: Callable[..., Response], storage: Storage) -> None:
        """The same event sent twice is two objects: raw tells what was received."""
        post("{}")
        post("{}")
        assert len(storage.objects) == 2

    def test_the_content_type_of_a_beacon_is_accepted(self, post: Callable[..., Response]) -> None:
        """`text/plain`, which needs no preflight."""
        assert post("{}", "text/plain;charset=UTF-8").status == 200

    def test_an_event_may_be_as_large_as_the_limit(self, post: Callable[..., Response]) -> None:
        """In bytes as sent, not in characters."""
        assert post('{"a":"' + "é" * 46 + '"}').status == 200
        assert post('{"a":"' + "é" * 46 + '" }').status == 413

    def test_a_packed_event_is_stored_unpacked(
        self, api_event: Callable[..., dict[str, Any]], storage: Storage, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The object is the same as that of the event sent as it is; the log counts the unpacked bytes."""
        event = api_event(base64.b64encode(gzip.compress(b'{"a": 1}')).decode(), **{"Content-Encoding": "gzip"})
        answer = ingest.handle(event | {"isBase64Encoded": True}, None, SETTINGS, storage)
        assert answer.status == 200
        (stored,) = storage.objects.values()
        assert stored.startswith(b'{"a": 1,"_ingest":{')
        assert json.loads(capsys.readouterr().out)["bytes"] == len(b'{"a": 1}')

    @pytest.mark.parametrize(
        ("body", "encoding", "status", "message"),
        [
            (gzip.compress(b'{"a":"' + b"x" * 200 + b'"}'), "gzip", 413, "more than 100 bytes when unpacked"),
            (gzip.compress(b"[1]"), "gzip", 400, "the body is an array"),
            (gzip.compress(b""), "gzip", 400, "the body is empty"),
            (b"{}", "gzip", 400, "not gzip"),
            (b"{}", "br", 415, "content encoding br is not supported: send gzip, or the event as it is"),
        ],
        ids=["a bomb", "an array", "nothing", "not packed", "packed otherwise"],
    )
    def test_a_bad_packed_event_is_told_what_is_wrong_and_nothing_is_stored(
        self, body: bytes, encoding: str, status: int, message: str, post: Callable[..., Response], storage: Storage
    ) -> None:
        """In the same shape as any other."""
        answer = post(body, **{"Content-Encoding": encoding})
        assert (answer.status, answer.body["success"]) == (status, False)
        assert message in answer.body["message"]
        assert not storage.objects

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "message"),
        [
            ("", "application/json", 400, "the body is empty"),
            (None, "application/json", 400, "the body is empty"),
            ('{"a": NaN}', "application/json", 400, "NaN is not a JSON value at line 1, column 7"),
            ('{"a": 1,}', "text/plain", 400, "the body is not JSON"),
            ("[{}]", "application/json", 400, "the body is an array"),
            ("\ud800", "application/json", 400, "not UTF-8"),
            ('{"a":"' + "x" * 100 + '"}', "application/json", 413, "the event has 108 bytes; at most 100 are accepted"),
            ("{}", "application/xml", 415, "content type application/xml is not supported"),
            ("{}", "x/" + "y" * 5000, 415, "content type x/" + "y" * 98 + " is not supported"),
            ("{}", None, 415, "content type none is not supported: send application/json or text/plain"),
        ],
    )
    def test_a_bad_request_is_told_what_is_wrong_and_nothing_is_stored(
        self, body: str, content_type: str, status: int, message: str, post: Callable[..., Response], storage: Storage
    ) -> None:
        """Each in the same shape."""
        answer = post(body, content_type)
        assert answer.status == status
        assert answer.body.keys() == {"success", "message"}
        assert answer.body["success"] is False
        assert message in answer.body["message"]
        assert not storage.objects

    def test_a_failure_of_s3_asks_to_send_again(
        self, api_event: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """503 with `Retry-After`, which a page may read, and nothing of S3's own words; those are in the log."""
        failing = Storage(StorageUnavailable("S3 did not store the event: AccessDenied"))
        answer = ingest.handle(api_event("{}"), None, SETTINGS, failing)
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
        assert "AccessDenied" not in answer.body["message"]
        line = json.loads(capsys.readouterr().out)
        assert (line["level"], line["outcome"]) == ("ERROR", "storage_unavailable")
        assert "AccessDenied" in line["error"]

    def test_what_nobody_foresaw_is_no_2xx_and_quotes_nothing(
        self, api_event: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The client gets our form of error, and the log gets the place; neither quotes the event."""
        answer = ingest.handle(api_event('{"a": "private"}'), None, SETTINGS, Storage(ValueError("private")))
        assert answer.status == 500
        assert answer.body["success"] is False
        line = capsys.readouterr().out
        assert "ValueError at put, line" in line
        assert "private" not in line

    @pytest.mark.parametrize("body", ["{}", "[]"])
    def test_every_answer_carries_cors_headers(self, body: str, post: Callable[..., Response]) -> None:
        """The good and the bad ones: a page could not read them otherwise."""
        headers = post(body, Origin="https://shop.example").headers
        assert headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert headers["Vary"] == "Origin"

    def test_a_preflight_is_answered_and_stores_nothing(
        self, api_event: Callable[..., dict[str, Any]], storage: Storage, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With JSON, as everything else."""
        event = api_event(None, None, Origin="https://shop.example")
        event["requestContext"]["httpMethod"] = "OPTIONS"
        answer = ingest.handle(event, None, SETTINGS, storage)
        assert (answer.status, answer.body) == (200, {"success": True})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert answer.headers["Access-Control-Max-Age"] == "86400"
        assert not storage.objects
        assert not capsys.readouterr().out

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ('{"a": "private"}', {"level": "INFO", "outcome": "stored", "status": 200, "bytes": 16}),
            ('["private"]', {"level": "WARNING", "outcome": "refused", "status": 400, "bytes": 11, "key": None}),
        ],
    )
    def test_one_line_is_logged_and_never_the_payload(
        self, body: str, expected: dict[str, Any], post: Callable[..., Response], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Outcome, key, bytes, milliseconds, request id."""
        answer = post(body)
        (line,) = capsys.readouterr().out.splitlines()
        logged = json.loads(line)
        assert logged | expected == logged
        assert logged["component"] == "ingest"
        assert logged["key"] == answer.body.get("key")
        assert logged["ms"] > 0
        assert logged["request_id"] == "5a0d9e8c-2f41-4f0b-9c58-9a6f1d6b7e21"
        assert "private" not in line


class TestOtherOrigins:
    """A page of an origin that `ALLOWED_ORIGINS` does not name, and a program that states any origin."""

    @pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example", "null"])
    @pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
    def test_no_origin_is_refused(
        self, origin: str, content_type: str, post: Callable[..., Response], storage: Storage
    ) -> None:
        """The event is stored, whoever says that they are where; only the allowed may read the response."""
        answer = post("{}", content_type, Origin=origin)
        assert answer.status == 200
        assert len(storage.objects) == 1
        assert ("Access-Control-Allow-Origin" in answer.headers) == (origin == "https://shop.example")

    def test_a_preflight_of_another_allows_nothing(self, api_event: Callable[..., dict[str, Any]]) -> None:
        """Without the header, a browser sends neither JSON nor a key."""
        event = api_event(None, None, Origin="https://evil.example")
        event["requestContext"]["httpMethod"] = "OPTIONS"
        assert "Access-Control-Allow-Origin" not in ingest.handle(event, None, SETTINGS, Storage()).headers


class TestApiKey:
    KEYS = Settings(api_keys=frozenset({sha256(b"first").hexdigest(), sha256("sécond".encode()).hexdigest()}))

    @pytest.mark.parametrize("key", ["first", "sécond"])
    def test_a_known_key_is_let_in(self, key: str, api_event: Callable[..., dict[str, Any]], storage: Storage) -> None:
        """Any of several, so that one can be replaced while both hold."""
        event = api_event("{}", **{"X-Api-Key": key})
        assert ingest.handle(event, None, self.KEYS, storage).status == 200
        assert len(storage.objects) == 1

    @pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "third"}, {"X-Api-Key": ""}])
    def test_no_other_is(
        self, headers: dict[str, str], api_event: Callable[..., dict[str, Any]], storage: Storage
    ) -> None:
        """401, in the shape of every other error, before anything is read."""
        answer = ingest.handle(api_event("not JSON", **headers), None, self.KEYS, storage)
        assert answer.status == 401
        assert answer.body == {
            "success": False,
            "message": "the request has no known API key: send one in the header X-Api-Key",
        }
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert not storage.objects

    def test_a_preflight_needs_none(self, api_event: Callable[..., dict[str, Any]], storage: Storage) -> None:
        """Browsers send no header of the page's own when they ask whether they may."""
        event = api_event(None)
        event["requestContext"]["httpMethod"] = "OPTIONS"
        answer = ingest.handle(event, None, self.KEYS, storage)
        assert answer.status == 200
        assert "X-Api-Key" in answer.headers["Access-Control-Allow-Headers"]
