"""What is fuzzed: bytes become a request, go through ingest, and what was stored becomes a row."""

import base64
import gzip
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib import log
from chalicelib.contract import COLUMNS
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import Row, flatten
from chalicelib.ingest import handle
from chalicelib.settings import Settings
from tests.fuzz.oracle import Broken, accepts, check_stored

__all__ = ["check", "quietly"]

KEY = re.compile(r"events/\d{4}/\d\d/\d\d/\d\d/event-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json", re.ASCII)
STORED_AT = datetime(2026, 11, 24, 22, 0, 0, tzinfo=UTC)
MOST_BYTES = 2**20
SETTINGS = Settings(max_event_bytes=MOST_BYTES, allowed_origins=frozenset({"https://shop.example"}))
CONTENT_TYPES = ("application/json", "text/plain;charset=UTF-8", "APPLICATION/JSON ; charset=x", "text/html", "", None)
TAKEN = CONTENT_TYPES[:3]
REFUSALS = (400, 413, 415)
TYPES: dict[str, type] = {"UUID": UUID, "TIMESTAMPTZ": datetime, "TEXT": str, "BOOLEAN": bool, "BIGINT": int}


class _Request(NamedTuple):
    event: dict[str, Any]
    body: bytes
    content_type: str | None


class _Storage:
    """Remembers what was put."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Take it; a second object of one key would be a loss."""
        if bucket != SETTINGS.raw_bucket or key in self.objects:
            raise Broken(f"put to {bucket}, {key}")
        self.objects[key] = body


def check(data: bytes) -> None:
    """Raise Broken, or whatever else is raised, unless all that has to hold does for the request made of `data`."""
    if data[:1] == b"\xff":
        _check_row(lambda: flatten(data[1:], "events/2026/11/24/22/x.json", STORED_AT))
        return
    request, storage = _request(data), _Storage()
    answer = handle(request.event, None, SETTINGS, storage)
    expected = _is_accepted(request)
    if any("\r" in value or "\n" in value for value in answer.headers.values()):
        raise Broken(f"headers {answer.headers!r}")
    if not expected:
        if answer.status not in REFUSALS or storage.objects or answer.body["success"] is not False:
            raise Broken(f"{request.body!r} was answered {answer.status}, {answer.body}; stored: {storage.objects}")
        return
    ((key, stored),) = storage.objects.items() or (("", b""),)
    if answer.status != 200 or answer.body != {"success": True, "key": key} or not KEY.fullmatch(key):
        raise Broken(f"{request.body!r} was answered {answer.status}, {answer.body}")
    check_stored(request.body, stored)
    _check_row(lambda: flatten(stored, key, STORED_AT))


def quietly() -> None:
    """Let the code under test log into nothing."""
    log.output = open(os.devnull, "w")  # noqa: PTH123, SIM115  # for as long as the process lives


def _request(data: bytes) -> _Request:
    """The first two bytes say how the rest is sent; some of it may be headers."""
    how, what = (*data[:2], 0, 0)[:2]
    body = data[2:]
    headers = {}
    if how & 4:
        # Up to the first NUL.
        origin, _, body = body.partition(b"\0")
        value = origin.decode("latin-1")
        headers = {"Origin": value, "User-Agent": value, "X-Amzn-Trace-Id": value}
    content_type = CONTENT_TYPES[what % len(CONTENT_TYPES)] if how & 8 else CONTENT_TYPES[0]
    if content_type is not None:
        headers["content-type" if how & 16 else "Content-Type"] = content_type
    packed = body
    if how & 32 and len(body) < MOST_BYTES // 2:
        headers["Content-Encoding"] = "gzip"
        packed = gzip.compress(body, 1)
    sent: str | bytes = packed
    if how & 3 == 1:
        sent = base64.b64encode(packed).decode()
    elif how & 3 == 2:
        # As API Gateway gives text to a function, also text that it has unpacked.
        sent = body.decode("utf-8", "replace")
        body = sent.encode()
    context = {"httpMethod": "POST", "path": "/clickstream", "identity": {"sourceIp": "127.0.0.1"}}
    event = {"requestContext": context, "headers": headers, "body": sent, "isBase64Encoded": how & 3 == 1}
    return _Request(event, body, content_type)


def _is_accepted(request: _Request) -> bool:
    return request.content_type in TAKEN and len(request.body) <= MOST_BYTES and accepts(request.body)


def _check_row(project: Callable[[], Row]) -> None:
    """Raise Broken unless it is a row that PostgreSQL takes, the same each time, or else no event."""
    try:
        row = project()
    except InvalidEvent:
        return
    if row != project():
        raise Broken(f"two rows of one object: {row!r}, {project()!r}")
    for column, value in zip(COLUMNS, row, strict=True):
        if value is None and not column.constraint:
            continue
        if type(value) is not TYPES[column.type] and not (column.type == "TEXT" and isinstance(value, str)):
            raise Broken(f"{column.name} is {value!r}")
        if isinstance(value, str) and re.search("[\0\ud800-\udfff]", value):
            raise Broken(f"{column.name} cannot be stored: {value!r}")
        if column.type == "BIGINT" and not -(2**63) <= int(str(value)) < 2**63:
            raise Broken(f"{column.name} is out of range: {value!r}")
        if isinstance(value, datetime) and value.utcoffset() != UTC.utcoffset(None):
            raise Broken(f"{column.name} is not in UTC: {value!r}")
