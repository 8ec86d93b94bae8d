"""Flattens one raw object into one row of the warehouse table; the row depends on the object alone."""

from collections.abc import Callable
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from chalicelib.contract import LAST_MODIFIED, OBJECT_KEY, UNKNOWN, Column, Value, columns_with
from chalicelib.json_object import JsonObject, decode, parse

__all__ = ["Row", "flatten", "row_of"]

Row = tuple[Value, ...]

# By the names in the contract; called only for a column without a present source.
_FALLBACKS: dict[str, Callable[[str, datetime], Value]] = {
    OBJECT_KEY: lambda key, _last_modified: uuid5(NAMESPACE_URL, key),
    LAST_MODIFIED: lambda _key, last_modified: last_modified,
    UNKNOWN: lambda _key, _last_modified: UNKNOWN,
    "": lambda _key, _last_modified: None,
}


def flatten(body: bytes, key: str, last_modified: datetime, price_decimals: int = 0) -> Row:
    """Flatten one raw object. The same object and the same decimals always give the same row.

    Args:
        body: The object's bytes.
        key: The object's key, from which an event without an id gets one.
        last_modified: When S3 stored the object, aware: the event's time if the object has no time.
        price_decimals: `PRICE_DECIMALS` of the warehouse that the row is for.

    Returns:
        One value per column of the contract, in its order.

    Raises:
        InvalidEvent: The body is not a JSON object, or has more levels than ingest accepts.
    """
    return row_of(parse(decode(body)), key, last_modified, price_decimals)


def row_of(payload: JsonObject, key: str, last_modified: datetime, price_decimals: int = 0) -> Row:
    """Flatten an object that is already parsed, as `flatten` does."""

    def value(column: Column) -> Value:
        found = column.value(payload)
        return found if found is not None else _FALLBACKS[column.fallback](key, last_modified)

    return tuple(map(value, columns_with(price_decimals)))
