"""Judges the members of an event: required ones, ones that the contract lists, and values that fit no column."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import TypedDict

from analysis.rows.browser_time import MILLISECONDS_FROM, to_browser_time
from analysis.rows.fields import JSON, RAW_FIELDS
from chalicelib.contract import COLUMNS, RAW_MEMBERS, Column
from chalicelib.convert import to_text
from chalicelib.json_object import Json, JsonObject, Number

__all__ = [
    "KEPT",
    "LISTED",
    "OBJECTS",
    "REQUIRED",
    "REQUIRED_BY_NAME",
    "Lost",
    "is_present",
    "lost_values",
    "member_at",
    "missing_members",
    "missing_of",
    "required_members",
    "required_sources",
    "unknown_members",
]

# The contract lists the members of these objects too. Of any other member, only the name is judged.
OBJECTS = ("product", *dict.fromkeys(name.partition(".")[0] for name in RAW_MEMBERS if "." in name))
LISTED = frozenset(
    {source for field in (*COLUMNS, *RAW_FIELDS) for source in field.sources} | {*RAW_MEMBERS, *OBJECTS, "_ingest"}
)
_PERCENTAGE = re.compile(r"\s*-?[0-9.,]+\s*%\s*", re.ASCII)
# By the name of a column or raw field, since one member may have several spellings.
REQUIRED = ("event_name", "sent_event_timestamp", "client_id", "session_id", "page_url")
OF_PRODUCT = ("context_product_id",)
REQUIRED_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "category_view": ("context_product_category",),
    "product_view": OF_PRODUCT,
    "add_to_cart_click": OF_PRODUCT,
    "remove_from_cart_click": OF_PRODUCT,
    "wishlist_toggle": OF_PRODUCT,
    "share_click": OF_PRODUCT,
    "click": ("element.tag",),
    "checkout_complete": ("order.id",),
    "login_success": ("user_id",),
}
_FIELDS = {field.name: field for field in (*RAW_FIELDS, *COLUMNS)}
# Raw fields whose values can be lost, too. The id is a column as well, and what ingest writes is no sender's mistake.
KEPT = (
    *COLUMNS,
    *(
        field
        for field in RAW_FIELDS
        if field.type != JSON and field.name != "sent_event_id" and not field.sources[0].startswith("_ingest.")
    ),
)


class Lost(TypedDict):
    """A value that does not fit its column."""

    column: str
    member: str
    reason: str


def missing_members(payload: JsonObject, event_name: str) -> list[str]:
    """List the required members that are absent, null or `""` in an event of this name, in their first spelling."""
    return missing_of(partial(member_at, payload), event_name)


def missing_of(value_of: Callable[[str], Json], event_name: str) -> list[str]:
    """Do as `missing_members`, for an event whose members a function gives by their dotted paths."""
    return [
        sources[0]
        for sources in required_sources(event_name)
        if not any(is_present(value_of(source)) for source in sources)
    ]


def required_members(event_name: str) -> list[str]:
    """List the members that an event of this name needs, in their first spelling."""
    return [sources[0] for sources in required_sources(event_name)]


def unknown_members(payload: JsonObject) -> list[str]:
    """List the members that the contract does not know, as dotted paths, sorted."""
    inner = tuple((name, tuple(value)) for name in OBJECTS if isinstance(value := payload.get(name), dict))
    return _unknown(tuple(payload), inner)


def lost_values(payload: JsonObject) -> Iterator[Lost]:
    """Give `column`, `member` and `reason` of each column or raw field that is NULL although a member has a value."""
    said: set[str] = set()
    for column in KEPT:
        if column.value(payload) is None:
            for source in column.sources:
                value = member_at(payload, source)
                if is_present(value) and not _is_brand(source, value) and source not in said:
                    said.add(source)
                    reason = f"{_kind(value, column)}, where {_wanted(column)} is expected"
                    yield {"column": column.name, "member": source, "reason": reason}
                    break


@cache
def required_sources(event_name: str) -> list[tuple[str, ...]]:
    """List the members that an event of this name needs, each in all of its spellings."""
    return list(map(_sources, (*REQUIRED, *REQUIRED_BY_NAME.get(event_name, ()))))


def _sources(name: str) -> tuple[str, ...]:
    return _FIELDS[name].sources if name in _FIELDS else (name,)


def member_at(payload: JsonObject, path: str) -> Json:
    """Give the member at a dotted path, or None if it is absent."""
    found: Json = payload
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def is_present(value: Json) -> bool:
    """Whether a member has a value."""
    return value is not None and value != ""


def _is_brand(source: str, value: Json) -> bool:
    """Whether the value is a brand as an object, whose members are sources of the same column."""
    return source == "product.brand" and isinstance(value, dict)


@cache
def _unknown(names: tuple[str, ...], inner: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    """Find the unknown names; cached, because events have few shapes."""
    paths = {*names, *(f"{outer}.{name}" for outer, members in inner for name in members)}
    return sorted(str(to_text(path)) for path in paths - LISTED)


def _kind(value: Json, column: Column) -> str:
    if column.type == "TIMESTAMPTZ" and isinstance(value, str) and to_browser_time(value):
        unit = "milliseconds" if Decimal(value) >= MILLISECONDS_FROM else "seconds"
        return f"{'a number' if isinstance(value, Number) else 'text'} of {unit} since 1970"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return "a number"
    return "a percentage" if column.type == "BIGINT" and _PERCENTAGE.fullmatch(str(value)) else "text"


def _wanted(column: Column) -> str:
    return {
        "BIGINT": "a number within 64 bits",
        "BOOLEAN": "true or false",
        "TIMESTAMPTZ": "an ISO-8601 time",
    }.get(column.type, "text")
