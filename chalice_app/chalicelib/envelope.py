"""The raw object: the client's JSON object exactly as sent, with one member `_ingest` appended last."""

import json
from datetime import datetime
from typing import TypedDict

from chalicelib.errors import InvalidEvent
from chalicelib.json_object import WHITESPACE, JsonObject, decode, members, parse

__all__ = ["IngestMetadata", "as_sent", "envelope", "iso_milliseconds"]

MEMBER = "_ingest"


class IngestMetadata(TypedDict):
    """The nine members of `_ingest`, null where unknown; `receivedAt` is UTC, ISO-8601 with milliseconds and `Z`."""

    receivedAt: str
    sourceIp: str | None
    userAgent: str | None
    method: str | None
    path: str | None
    requestId: str | None
    apiId: str | None
    stage: str | None
    traceId: str | None


def iso_milliseconds(moment: datetime) -> str:
    """Write an aware UTC time as `2026-11-24T22:00:00.123Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(body: bytes, metadata: IngestMetadata) -> bytes:
    """Make the raw object of one request body.

    Every member keeps its bytes. Each top-level member whose decoded name is `_ingest` is dropped, because a client's
    word about receipt is not trusted.

    Args:
        body: One JSON object in UTF-8.
        metadata: The members of `_ingest`.

    Raises:
        InvalidEvent: The body is not one JSON object of at most 100 levels.
    """
    text = decode(body)
    payload = parse(text)
    inner = _without_ingest(text, payload)
    comma = "," if inner.strip() else ""
    return f'{{{inner}{comma}"{MEMBER}":{json.dumps(metadata)}}}'.encode()


def _without_ingest(text: str, payload: JsonObject) -> str:
    """Give the text between the object's braces, as sent, without members named `_ingest`."""
    if MEMBER not in payload:
        return text.strip(WHITESPACE)[1:-1]
    return ",".join(member for name, member in members(text) if name != MEMBER)


def as_sent(raw: str) -> str:
    """Give the text that the client sent: a raw object without its `_ingest`. Other text comes back as it is."""
    inner, _, _ = raw.rpartition(f'"{MEMBER}":{{')
    sent = f"{inner.removesuffix(',')}}}"
    try:
        return raw if MEMBER in parse(sent) else sent
    except InvalidEvent:  # the text is not an object that ingest made
        return raw
