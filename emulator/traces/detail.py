"""Collects everything about one event: its traces, its raw objects, its row, and the source of each column."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from chalicelib.contract import columns_with
from chalicelib.convert import to_uuid
from chalicelib.envelope import as_sent, iso_milliseconds
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import decode, parse
from chalicelib.settings import price_decimals
from emulator.traces.traces import Traces
from emulator.triggers.projected import row_and_reject

__all__ = ["detail", "plain"]

MOST_OBJECTS = 20


def detail(identity: str, traces: Traces, bucket: Path, dw_url: str) -> dict[str, Any] | None:
    """Return everything about one event as JSON; None if nothing is known about it.

    Args:
        identity: Event id or object key.
        traces: Traces of the stack.
        bucket: Directory of the raw bucket.
        dw_url: libpq URL of the warehouse.

    Returns:
        `eventId`, `traces`, `objects`, `row`, `reject`, `mapping`, and `problem` if the warehouse does not answer.
    """
    found = [trace for trace in [traces.get(identity)] if trace] or traces.of_event(str(to_uuid(identity)))
    found.sort(key=lambda trace: trace.state != "row")  # `mapping` explains the object that made the row
    event_id = found[0].event_id if found else str(to_uuid(identity))
    keys = [trace.key for trace in found if trace.key] or [identity]
    objects = list(_objects(bucket, keys[:MOST_OBJECTS]))
    warehouse = _in_warehouse(dw_url, event_id, bucket.name, keys[0])
    if not found and not objects and warehouse.get("row") is None:
        return None
    return {
        "eventId": event_id,
        "traces": [trace.as_json() for trace in found],
        "objects": objects,
        **warehouse,
        "mapping": _mapping(objects[0]["raw"]) if objects else [],
    }


def _in_warehouse(dw_url: str, event_id: str | None, bucket: str, key: str) -> dict[str, Any]:
    """Return the event's `row` and the object's `reject`, or None; and a `problem` if the warehouse does not answer."""
    try:
        row, reject = row_and_reject(dw_url, UUID(event_id) if event_id else None, bucket, key)
    except psycopg.Error:
        return {"row": None, "reject": None, "problem": "the warehouse does not answer"}
    return {"row": row and {name: plain(value) for name, value in row.items()}, "reject": reject}


def _objects(bucket: Path, keys: list[str]) -> Iterator[dict[str, str]]:
    """Yield the objects that still exist, as text; bytes that are not UTF-8 become U+FFFD."""
    for key in keys:
        try:
            path = (bucket / key).resolve()
            if not path.is_relative_to(bucket.resolve()):
                continue
            raw = path.read_bytes().decode(errors="replace")
        except (OSError, ValueError):  # deleted, or a key that no file can have
            continue
        yield {"key": key, "sent": as_sent(raw), "raw": raw}


def _mapping(raw: str) -> list[dict[str, Any]]:
    """Return, for each column, the member of the object that its value comes from; empty if the object is no event."""
    try:
        payload = parse(decode(raw.encode()))
    except InvalidEvent:
        return []
    origins = [(column, *column.origin(payload)) for column in columns_with(price_decimals())]
    return [
        {
            "column": column.name,
            "type": column.type,
            "source": source,
            "fallback": None if source else column.fallback or None,
            "value": plain(value),
        }
        for column, source, value in origins
    ]


def plain(value: object) -> object:
    """Return a column's value as a value of JSON."""
    if isinstance(value, datetime):
        return iso_milliseconds(value.astimezone(UTC))
    return str(value) if isinstance(value, UUID) else value
