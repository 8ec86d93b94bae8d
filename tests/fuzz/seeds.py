"""What the fuzzer starts from: real events, hostile ones by hand, and words that it would hardly find by itself."""

import json
from pathlib import Path

__all__ = ["WORDS", "seeds"]

EVENTS = Path(__file__).parents[1] / "events"
WORDS = (
    *('"_ingest"', '"\\u005fingest"', '"receivedAt"', '"eventId"', '"event_id"', '"eventName"', '"eventTimestamp"'),
    *('"userId"', '"clientId"', '"isFirstVisit"', '"product"', '"price"', '"discountPrice"', '"brand"', '"name"'),
    *('"__proto__"', '"constructor"', "NaN", "-Infinity", "1e999", "-0.0", "1e-999999999999999999999", "0.5"),
    *("true", "false", "null", "{}", "[]", '""', "9223372036854775807", "9223372036854775808", "\\ud800", "\\udc00"),
    *("\\u0000", "\ufeff", "../../", "'; DROP TABLE clickstream_events; --", "\r\nSet-Cookie: a=b", "2026-W48-2"),
    *("2026-11-24T22:00:00.123Z", "+14:00", "9999-12-31T23:59:59-14:00", "00000000-0000-4000-8000-000000000000"),
)
BODIES = (
    "{}",
    '{"a":1}',
    '{"_ingest":{"receivedAt":"2026-11-24T22:00:00.123Z"},"a":[{}]}',
    '{"\\u005fingest":1 , "eventId":"../../etc/passwd","product":{"price":"1e2"}}',
    '{"eventId":"00000000-0000-4000-8000-000000000000","product":{"brand":{"name":"a"},"price":-0.5}}',
    '{"eventTimestamp":"20261124T09+0100","isFirstVisit":"true","userId":4711}',
    '{"a":"\\ud800\\u0000","a":null}',
    "[1]",
    '{"a":NaN}',
    '{"a":' + "[" * 98 + "]" * 98 + "}",
    '{"a":' + "[" * 100 + "]" * 100 + "}",
)
HOW = (
    b"\0\0",
    b"\1\0",
    b"\2\0",
    b"\x20\0",
    b"\x21\0",
    b"\x22\0",
    b"\4\0https://shop.example\0",
    b"\x08\3",
    b"\x18\1",
    b"\xff",
)


def seeds() -> list[bytes]:
    """Inputs of `check`: every body, sent every way."""
    real = [path.read_bytes() for path in sorted(EVENTS.glob("*.json"))]
    small = [body for body in real if isinstance(json.loads(body), dict)]
    bodies = [*(body.encode() for body in BODIES), *small, "\ufeff{}".encode(), b'{"a":"\xff"}', b""]
    return [how + body for body in bodies for how in HOW]
