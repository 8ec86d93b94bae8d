"""Reads one HTTP request from an API Gateway event: REST API, or HTTP API with payload format 1.0."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.api.address import stored_address
from chalicelib.api.packed import unpack
from chalicelib.envelope import IngestMetadata, iso_milliseconds
from chalicelib.errors import EventTooLarge, InvalidEvent, UnsupportedContentEncoding

__all__ = ["GZIP_TYPE", "HttpRequest"]

GZIP_TYPE = "application/gzip"
GZIP_ENCODINGS = ("gzip", "x-gzip")
MAX_QUOTED = 100
# What becomes of the first two bytes of every gzip, if a gateway takes them for UTF-8.
DAMAGED = "\x1f\ufffd"


@dataclass(frozen=True)
class HttpRequest:
    """One request. Header names are lower case; `context` is API Gateway's `requestContext`."""

    method: str
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    request_id: str | None
    raw_body: str | bytes | None
    is_base64: bool

    @classmethod
    def from_event(cls, event: Mapping[str, Any], lambda_context: object) -> "HttpRequest":
        """Read an API Gateway event; if it has no request id, take that of the Lambda invocation."""
        context = event["requestContext"]
        return cls(
            method=context["httpMethod"],
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            context=context,
            request_id=context.get("requestId") or getattr(lambda_context, "aws_request_id", None),
            raw_body=event.get("body"),
            is_base64=bool(event.get("isBase64Encoded")),
        )

    @property
    def content_type(self) -> str | None:
        """The media type in lower case, without parameters; None if the request names no media type."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower() or None

    def body(self, most: int) -> bytes:
        """Give the event's bytes as the client wrote them, unpacked if it sent them packed.

        Args:
            most: The largest number of bytes that is accepted, both packed and unpacked.

        Raises:
            EventTooLarge: There are more bytes.
            InvalidEvent: The base64 or gzip form of the body is damaged.
            UnsupportedContentEncoding: The body is encoded in another way.
        """
        is_packed = self._is_packed()
        body = self._sent()
        if len(body) > most:
            raise EventTooLarge(f"the event has {len(body)} bytes; at most {most} are accepted")
        if not is_packed or not body:
            return body
        if isinstance(self.raw_body, str) and not self.is_base64:
            # A REST API of API Gateway unpacks a body by itself, hands it on as text, and keeps the header.
            if self.raw_body.startswith(DAMAGED):
                raise InvalidEvent(f"API Gateway took the gzip of the body for text: send it as {GZIP_TYPE}")
            return body
        return unpack(body, most)

    def _is_packed(self) -> bool:
        """Whether the client says that the body is gzip. Raises UnsupportedContentEncoding."""
        named = self.headers.get("content-encoding", "").strip().lower()
        if named in GZIP_ENCODINGS or (self.content_type == GZIP_TYPE and named in ("", "identity")):
            return True
        if named in ("", "identity"):
            return False
        raise UnsupportedContentEncoding(
            f"content encoding {named[:MAX_QUOTED]} is not supported: send gzip, or the event as it is"
        )

    def _sent(self) -> bytes:
        """Give the body's bytes as they were sent. Raises InvalidEvent if their base64 form is damaged."""
        if not self.raw_body:
            return b""
        if self.is_base64:
            try:
                return base64.b64decode(self.raw_body, validate=True)
            except (binascii.Error, ValueError) as error:
                raise InvalidEvent("the body is marked as base64, but is not base64") from error
        # A lone surrogate is passed on, so that the check of the encoding finds and refuses it.
        return self.raw_body if isinstance(self.raw_body, bytes) else self.raw_body.encode("utf-8", "surrogatepass")

    def metadata(self, received_at: datetime, store_ip: str = "full") -> IngestMetadata:
        """Give the nine members of `_ingest`.

        Args:
            received_at: When the request was received (aware, UTC).
            store_ip: How much of the address is kept, as `STORE_IP` says.
        """
        identity = self.context.get("identity") or {}
        return {
            "receivedAt": iso_milliseconds(received_at),
            "sourceIp": stored_address(identity.get("sourceIp"), store_ip),
            "userAgent": identity.get("userAgent") or self.headers.get("user-agent"),
            "method": self.method,
            "path": self.context.get("path"),
            "requestId": self.request_id,
            "apiId": self.context.get("apiId"),
            "stage": self.context.get("stage"),
            "traceId": self.headers.get("x-amzn-trace-id") or os.environ.get("_X_AMZN_TRACE_ID"),
        }
