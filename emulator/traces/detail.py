"""Everything about one event: its traces, its objects as sent and as stored, its row, and which member became what."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from chalicelib.contract import COLUMNS
from chalicelib.convert import to_uuid
from chalicelib.envelope import as_sent, iso_milliseconds
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import decode, parse
from emulator.traces.traces import Traces
from emulator.triggers.projected import row_and_reject

__all__ = ["detail", "plain"]

MOST_OBJECTS = 20


def detail(identity: str, traces: Traces, bucket: Path, dw_url: str) -> dict[str, Any] | None:
    """What is known of an event id or an object key; None if nothing is."""
    found = [trace for trace in [traces.get(identity)] if trace] or traces.of_event(str(to_uuid(identity)))
    found.sort(key=lambda trace: trace.state != "row")  # the object that made the row is the one that is explained
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
    """The event's row and the object's reject, None where there is none; and if it cannot be asked, the problem."""
    try:
        row, reject = row_and_reject(dw_url, UUID(event_id) if event_id else None, bucket, key)
    except psycopg.Error:
        return {"row": None, "reject": None, "problem": "the warehouse does not answer"}
    return {"row": row and {name: plain(value) for name, value in row.items()}, "reject": reject}


def _objects(bucket: Path, keys: list[str]) -> Iterator[dict[str, str]]:
    """The objects that are still there, as text; bytes that are not UTF-8 become U+FFFD."""
    for key in keys:
        try:
            path = (bucket / key).resolve()
            if not path.is_relative_to(bucket.resolve()):
                continue
            raw = path.read_bytes().decode(errors="replace")
        except (OSError, ValueError):  # gone, or a name that no file can have
            continue
        yield {"key": key, "sent": as_sent(raw), "raw": raw}


def _mapping(raw: str) -> list[dict[str, Any]]:
    """Which member of the object each column comes from; nothing for what is no event."""
    try:
        payload = parse(decode(raw.encode()))
    except InvalidEvent:
        return []
    origins = [(column, *column.origin(payload)) for column in COLUMNS]
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
    """A column's value as JSON has it."""
    if isinstance(value, datetime):
        return iso_milliseconds(value.astimezone(UTC))
    return str(value) if isinstance(value, UUID) else value
