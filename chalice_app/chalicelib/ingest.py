"""Ingest: turns one POST into one raw object, and acknowledges it only after S3 has confirmed the object."""

from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from chalicelib import log
from chalicelib.api.cors import cors_headers, preflight_headers
from chalicelib.api.key import is_known
from chalicelib.api.request import GZIP_TYPE, HttpRequest
from chalicelib.envelope import envelope
from chalicelib.errors import (
    ClickstreamError,
    InternalError,
    StorageUnavailable,
    Unauthorized,
    UnsupportedContentType,
)
from chalicelib.keys import object_key
from chalicelib.settings import Settings

__all__ = ["Response", "handle"]

CONTENT_TYPES = ("application/json", "text/plain")
RETRY_AFTER_SECONDS = 2
MAX_QUOTED = 100


class Response(NamedTuple):
    """A response to the client: an HTTP status, a JSON object, and headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class Putting(Protocol):
    """A storage that takes raw objects."""

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store `body`, or raise StorageUnavailable."""


def handle(event: Mapping[str, Any], context: object, settings: Settings, storage: Putting) -> Response:
    """Handle one request, whatever its body, and log one line per POST.

    Args:
        event: The API Gateway event: REST API, or HTTP API with payload format 1.0.
        context: The context of the Lambda invocation.
        settings: The settings of ingest.
        storage: Stores the raw object.
    """
    request = HttpRequest.from_event(event, context)
    headers = cors_headers(settings.allowed_origins, request.headers.get("origin"))
    if request.method == "OPTIONS":
        return Response(200, {"success": True}, headers | preflight_headers(settings.allowed_headers))
    started = perf_counter()
    facts: dict[str, Any] = {"request_id": request.request_id, "key": None, "bytes": None}
    try:
        _store(request, settings, storage, facts)
    except ClickstreamError as error:
        response = _failure(error, headers)
        facts |= {"level": _level(error), "outcome": error.outcome, "error": str(error)}
    except Exception as error:  # noqa: BLE001  # whatever happens, the client gets a response, and not a 2xx
        response = _failure(InternalError("internal error: the event may not be stored; send it again"), headers)
        facts |= {"level": "ERROR", "outcome": InternalError.outcome, "error": log.where(error)}
    else:
        response = Response(200, {"success": True, "key": facts["key"]}, headers)
        facts["outcome"] = "stored"
    log.write("ingest", status=response.status, ms=round((perf_counter() - started) * 1000, 3), **facts)
    return response


def _store(request: HttpRequest, settings: Settings, storage: Putting, facts: dict[str, Any]) -> None:
    """Check and store one event; add its size to `facts` and, after S3 has confirmed it, its key."""
    if settings.api_keys and not is_known(request.headers.get("x-api-key"), settings.api_keys):
        raise Unauthorized("the request has no known API key: send one in the header X-Api-Key")
    if request.content_type not in (*CONTENT_TYPES, GZIP_TYPE):
        named = (request.content_type or "none")[:MAX_QUOTED]
        raise UnsupportedContentType(f"content type {named} is not supported: send {' or '.join(CONTENT_TYPES)}")
    body = request.body(settings.max_event_bytes)
    facts["bytes"] = len(body)
    received_at = datetime.now(UTC)
    key = object_key(received_at, uuid4())
    storage.put(settings.raw_bucket, key, envelope(body, request.metadata(received_at, settings.store_ip)))
    facts["key"] = key


def _failure(error: ClickstreamError, headers: dict[str, str]) -> Response:
    if isinstance(error, StorageUnavailable):
        # S3's words are for the log: the public only needs to know what to do.
        message = f"the event was not stored: send it again after {RETRY_AFTER_SECONDS} seconds"
        headers = headers | {"Retry-After": str(RETRY_AFTER_SECONDS)}
    else:
        message = str(error)
    return Response(error.status, {"success": False, "message": message}, headers)


def _level(error: ClickstreamError) -> str:
    return "ERROR" if error.status >= 500 else "WARNING"  # HTTP calls these server errors
