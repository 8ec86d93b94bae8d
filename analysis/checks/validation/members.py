"""Members of an event: which are required, which the contract lists, and which a column could not take."""

from collections.abc import Iterator, Mapping
from functools import cache

from analysis.rows.fields import RAW_FIELDS
from chalicelib.contract import COLUMNS, RAW_MEMBERS, Column
from chalicelib.convert import to_text
from chalicelib.json_object import Json, JsonObject, Number

__all__ = ["lost_values", "missing_members", "unknown_members"]

# Objects whose members the contract lists too; of any other member only its name is judged.
OBJECTS = ("product", *dict.fromkeys(name.partition(".")[0] for name in RAW_MEMBERS if "." in name))
LISTED = frozenset(
    {source for field in (*COLUMNS, *RAW_FIELDS) for source in field.sources} | {*RAW_MEMBERS, *OBJECTS, "_ingest"}
)
# A column or raw field stands for the member that it comes from, in all its spellings.
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


def missing_members(payload: JsonObject, event_name: str) -> list[str]:
    """The required members that an event of this name lacks, in their first spelling; null and `""` are lacking."""
    required = (*REQUIRED, *REQUIRED_BY_NAME.get(event_name, ()))
    return [
        sources[0]
        for sources in map(_sources, required)
        if not any(_is_present(_member(payload, source)) for source in sources)
    ]


def unknown_members(payload: JsonObject) -> list[str]:
    """The members that the contract does not list, as dotted paths, sorted."""
    inner = tuple((name, tuple(value)) for name in OBJECTS if isinstance(value := payload.get(name), dict))
    return _unknown(tuple(payload), inner)


def lost_values(payload: JsonObject) -> Iterator[dict[str, str]]:
    """`column`, `member` and `reason`: each column that took none of its members though one is there, and why."""
    for column in COLUMNS:
        if column.value(payload) is None:
            for source in column.sources:
                value = _member(payload, source)
                if _is_present(value) and not _is_brand(source, value):
                    reason = f"{_kind(value)}, where {_wanted(column)} is expected"
                    yield {"column": column.name, "member": source, "reason": reason}
                    break


def _sources(name: str) -> tuple[str, ...]:
    return _FIELDS[name].sources if name in _FIELDS else (name,)


def _member(payload: JsonObject, path: str) -> Json:
    found: Json = payload
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _is_present(value: Json) -> bool:
    return value is not None and value != ""


def _is_brand(source: str, value: Json) -> bool:
    """An object there is no value of its own: its members are sources of the same column."""
    return source == "product.brand" and isinstance(value, dict)


@cache
def _unknown(names: tuple[str, ...], inner: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    """Events have few shapes: each is looked at once."""
    paths = {*names, *(f"{outer}.{name}" for outer, members in inner for name in members)}
    return sorted(str(to_text(path)) for path in paths - LISTED)


def _kind(value: Json) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "a number" if isinstance(value, Number) else "text"


def _wanted(column: Column) -> str:
    return {
        "BIGINT": "a number of 64 bits",
        "BOOLEAN": "true or false",
        "TIMESTAMPTZ": "an ISO-8601 time",
    }.get(column.type, "text")
