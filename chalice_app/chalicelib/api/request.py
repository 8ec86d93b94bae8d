"""One HTTP request, read from an API Gateway event: REST API, or HTTP API with payload format 1.0."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.envelope import IngestMetadata, iso_milliseconds
from chalicelib.errors import InvalidEvent

__all__ = ["HttpRequest"]


@dataclass(frozen=True)
class HttpRequest:
    """One request: header names are lower case; `context` is API Gateway's own account of the request."""

    method: str
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    request_id: str | None
    raw_body: str | bytes | None
    is_base64: bool

    @classmethod
    def from_event(cls, event: Mapping[str, Any], lambda_context: object) -> "HttpRequest":
        """Read an API Gateway event; the request id falls back to that of the Lambda invocation."""
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
        """The media type in lower case, without parameters; None if there is none."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower() or None

    def body(self) -> bytes:
        """The body's bytes as the client sent them. Raises InvalidEvent if their base64 form is damaged."""
        if not self.raw_body:
            return b""
        if self.is_base64:
            try:
                return base64.b64decode(self.raw_body, validate=True)
            except (binascii.Error, ValueError) as error:
                raise InvalidEvent("the body is marked as base64, but is not") from error
        # A lone surrogate cannot have been UTF-8; it is passed on, for the check of the encoding to find.
        return self.raw_body if isinstance(self.raw_body, bytes) else self.raw_body.encode("utf-8", "surrogatepass")

    def metadata(self, received_at: datetime) -> IngestMetadata:
        """The nine members of `_ingest`, for a request received at `received_at` (aware, UTC)."""
        identity = self.context.get("identity") or {}
        return {
            "receivedAt": iso_milliseconds(received_at),
            "sourceIp": identity.get("sourceIp"),
            "userAgent": identity.get("userAgent") or self.headers.get("user-agent"),
            "method": self.method,
            "path": self.context.get("path"),
            "requestId": self.request_id,
            "apiId": self.context.get("apiId"),
            "stage": self.context.get("stage"),
            "traceId": self.headers.get("x-amzn-trace-id") or os.environ.get("_X_AMZN_TRACE_ID"),
        }
