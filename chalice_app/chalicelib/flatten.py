"""Flatten one raw object into one row of the warehouse table: a pure function of the object."""

from collections.abc import Callable
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from chalicelib.contract import COLUMNS, LAST_MODIFIED, OBJECT_KEY, UNKNOWN, Column, Value
from chalicelib.json_object import JsonObject, decode, parse

__all__ = ["Row", "flatten", "row_of"]

Row = tuple[Value, ...]

# By what the contract calls them; called only where nothing else is present.
_FALLBACKS: dict[str, Callable[[str, datetime], Value]] = {
    OBJECT_KEY: lambda key, _last_modified: uuid5(NAMESPACE_URL, key),
    LAST_MODIFIED: lambda _key, last_modified: last_modified,
    UNKNOWN: lambda _key, _last_modified: UNKNOWN,
    "": lambda _key, _last_modified: None,
}


def flatten(body: bytes, key: str, last_modified: datetime) -> Row:
    """One value per column of the contract, in its order, for the raw object `body` at `key`.

    `last_modified` is aware; it stands in for the event's time only where the object has none. The same object always
    gives the same row. Raises InvalidEvent if the body is no JSON object, or one of more levels than ingest accepts.
    """
    return row_of(parse(decode(body)), key, last_modified)


def row_of(payload: JsonObject, key: str, last_modified: datetime) -> Row:
    """The row of an object that is already parsed; see `flatten`."""

    def value(column: Column) -> Value:
        found = column.value(payload)
        return found if found is not None else _FALLBACKS[column.fallback](key, last_modified)

    return tuple(map(value, COLUMNS))
