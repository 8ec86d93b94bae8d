"""Flatten one raw object into one row of the warehouse table: a pure function of the object."""

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from chalicelib.contract import COLUMNS, LAST_MODIFIED, OBJECT_KEY, UNKNOWN, Value
from chalicelib.json_object import decode, parse

__all__ = ["Row", "flatten"]

Row = tuple[Value, ...]


def flatten(body: bytes, key: str, last_modified: datetime) -> Row:
    """One value per column of the contract, in its order, for the raw object `body` at `key`.

    `last_modified` is aware; it stands in for the event's time only where the object has none. The same object always
    gives the same row. Raises InvalidEvent if the body is no JSON object, or one of more levels than ingest accepts.
    """
    payload = parse(decode(body))
    fallbacks: dict[str, Value] = {
        OBJECT_KEY: uuid5(NAMESPACE_URL, key),
        LAST_MODIFIED: last_modified,
        UNKNOWN: "unknown",
    }
    return tuple(column.value(payload, fallbacks) for column in COLUMNS)
