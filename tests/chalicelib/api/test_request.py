import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import shake_128
from typing import Any

import pytest

from chalicelib.api.request import HttpRequest
from chalicelib.errors import EventTooLarge, InvalidEvent, UnsupportedContentEncoding

RECEIVED_AT = datetime(2026, 11, 24, 9, 15, 4, 512_000, UTC)


class LambdaContext:
    """What Lambda passes beside the event."""

    aws_request_id = "lambda-request"


@pytest.fixture(autouse=True)
def _no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)


def request(event: dict[str, Any]) -> HttpRequest:
    """Read one API Gateway event."""
    return HttpRequest.from_event(event, LambdaContext())


class TestMetadata:
    def test_a_rest_api_event_gives_all_nine(self, payload: Callable[[str], bytes]) -> None:
        """Everything that API Gateway knows of the request."""
        assert request(json.loads(payload("api_gateway_rest"))).metadata(RECEIVED_AT) == {
            "receivedAt": "2026-11-24T09:15:04.512Z",
            "sourceIp": "203.0.113.24",
            "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)",
            "method": "POST",
            "path": "/api/clickstream",
            "requestId": "5a0d9e8c-2f41-4f0b-9c58-9a6f1d6b7e21",
            "apiId": "a1b2c3d4e5",
            "stage": "api",
            "traceId": "Root=1-67430f4b-5b0c1f0e2d3a4b5c6d7e8f90",
        }

    def test_an_http_api_event_of_format_1_0_gives_all_nine(self, payload: Callable[[str], bytes]) -> None:
        """Its headers are in lower case, its body in base64."""
        assert request(json.loads(payload("api_gateway_http_1_0"))).metadata(RECEIVED_AT) == {
            "receivedAt": "2026-11-24T09:15:04.512Z",
            "sourceIp": "198.51.100.7",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0",
            "method": "POST",
            "path": "/clickstream",
            "requestId": "BxY4mhQZSQ0EJxw=",
            "apiId": "f6g7h8i9j0",
            "stage": "$default",
            "traceId": "Root=1-67430f4c-0a1b2c3d4e5f60718293a4b5",
        }

    def test_chalice_local_knows_little_and_the_rest_is_null(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The request id falls back to Lambda's, the trace to Lambda's environment."""
        context = {"httpMethod": "POST", "resourcePath": "/clickstream", "path": "/clickstream"}
        event = {"requestContext": context, "headers": {"user-agent": "curl"}, "body": b"{}"}
        metadata = request(event).metadata(RECEIVED_AT)
        assert metadata["requestId"] == "lambda-request"
        assert metadata["userAgent"] == "curl"
        assert [metadata[name] for name in ("sourceIp", "apiId", "stage", "traceId")] == [None] * 4
        monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-a")
        assert request(event).metadata(RECEIVED_AT)["traceId"] == "Root=1-a"


class TestContentType:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("Text/Plain;charset=UTF-8", "text/plain"),
            (" application/json ", "application/json"),
            ("", None),
            (None, None),
        ],
    )
    def test_only_the_media_type_counts(
        self, header: str | None, expected: str | None, api_event: Callable[..., dict[str, Any]]
    ) -> None:
        """In lower case, without parameters."""
        assert request(api_event("{}", header)).content_type == expected


class TestBody:
    def test_text_and_base64_give_the_same_bytes(self, api_event: Callable[..., dict[str, Any]]) -> None:
        """API Gateway sends either."""
        text = '{"name": "Áo"}'
        encoded = api_event(base64.b64encode(text.encode()).decode()) | {"isBase64Encoded": True}
        assert request(api_event(text)).body(1000) == request(encoded).body(1000) == text.encode()

    @pytest.mark.parametrize("body", [None, "", b""])
    def test_no_body_is_empty(self, body: str | None, api_event: Callable[..., dict[str, Any]]) -> None:
        """Null and empty are the same."""
        assert request(api_event(body)).body(1000) == b""

    @pytest.mark.parametrize("body", ["{}", "a", "é==="])
    def test_damaged_base64_is_refused(self, body: str, api_event: Callable[..., dict[str, Any]]) -> None:
        """Nothing is stored of what cannot be read exactly."""
        with pytest.raises(InvalidEvent, match="base64"):
            request(api_event(body) | {"isBase64Encoded": True}).body(1000)


class TestPackedBody:
    EVENT = '{"name": "Áo"}'.encode()
    PACKED = gzip.compress(EVENT)

    def sent(self, body: str | bytes, api_event: Callable[..., dict[str, Any]], **headers: str) -> HttpRequest:
        """A request with such a body, which is base64 if it is text that begins as base64 of gzip does."""
        event = api_event(body, headers.pop("content_type", "application/json"), **headers)
        return request(event | {"isBase64Encoded": isinstance(body, str) and body.startswith("H4sI")})

    @pytest.mark.parametrize(
        "headers",
        [
            {"Content-Encoding": "gzip"},
            {"content-encoding": " GZIP "},
            {"Content-Encoding": "x-gzip"},
            {"Content-Encoding": "gzip", "content_type": "text/plain"},
            {"content_type": "application/gzip"},
            {"Content-Encoding": "identity", "content_type": "application/gzip"},
            {"Content-Encoding": "gzip", "content_type": "application/gzip"},
        ],
    )
    def test_it_is_unpacked(self, headers: dict[str, str], api_event: Callable[..., dict[str, Any]]) -> None:
        """As the local stack gives it (bytes), and as API Gateway gives binary data (base64)."""
        for body in (self.PACKED, base64.b64encode(self.PACKED).decode()):
            assert self.sent(body, api_event, **headers).body(1000) == self.EVENT

    @pytest.mark.parametrize("headers", [{}, {"Content-Encoding": ""}, {"Content-Encoding": "identity"}])
    def test_nothing_else_is(self, headers: dict[str, str], api_event: Callable[..., dict[str, Any]]) -> None:
        """Gzip that nobody announces is no event."""
        assert self.sent(self.PACKED, api_event, **headers).body(1000) == self.PACKED

    def test_a_rest_api_has_unpacked_it(self, api_event: Callable[..., dict[str, Any]]) -> None:
        """API Gateway hands on text, and keeps the header."""
        sent = self.sent(self.EVENT.decode(), api_event, **{"Content-Encoding": "gzip"})
        assert sent.body(1000) == self.EVENT

    def test_a_gateway_has_damaged_it(self, api_event: Callable[..., dict[str, Any]]) -> None:
        """It took the bytes for text: the error names the content type that no gateway takes for text."""
        damaged = self.PACKED.decode(errors="replace")
        with pytest.raises(InvalidEvent, match="send it as application/gzip"):
            self.sent(damaged, api_event, **{"Content-Encoding": "gzip"}).body(1000)

    @pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip,br", "x" * 5000])
    def test_another_encoding_is_refused(self, encoding: str, api_event: Callable[..., dict[str, Any]]) -> None:
        """415, which names it, in a message of bounded length."""
        with pytest.raises(UnsupportedContentEncoding, match=r"is not supported: send gzip") as caught:
            self.sent(self.PACKED, api_event, **{"Content-Encoding": encoding}).body(1000)
        assert encoding[:100] in str(caught.value)
        assert len(str(caught.value)) < 200

    def test_the_limit_holds_for_both_forms(self, api_event: Callable[..., dict[str, Any]]) -> None:
        """What is sent may have as many bytes as what is unpacked."""
        random = shake_128(b"any").digest(500)
        with pytest.raises(EventTooLarge, match=r"the event has 5\d\d bytes; at most 500 are accepted"):
            self.sent(gzip.compress(random), api_event, **{"Content-Encoding": "gzip"}).body(500)
        with pytest.raises(EventTooLarge, match="more than 500 bytes when unpacked"):
            self.sent(gzip.compress(bytes(501)), api_event, **{"Content-Encoding": "gzip"}).body(500)

    def test_no_body_is_empty_in_this_form_too(self, api_event: Callable[..., dict[str, Any]]) -> None:
        """As it is without it."""
        assert self.sent("", api_event, **{"Content-Encoding": "gzip"}).body(1000) == b""
