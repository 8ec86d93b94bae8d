"""The contract: the only definition of which payload member becomes which column of `clickstream_events`.

The Python row, the PostgreSQL table, every other projection and schema, and the tables in the docs derive from
`COLUMNS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property, partial
from uuid import UUID

from chalicelib import convert
from chalicelib.json_object import Json, JsonObject

__all__ = [
    "COLUMNS",
    "EVENT_ID",
    "EVENT_NAMES",
    "EVENT_TIMESTAMP",
    "LAST_MODIFIED",
    "OBJECT_KEY",
    "RAW_MEMBERS",
    "TABLE",
    "UNKNOWN",
    "Column",
    "Value",
    "columns_with",
    "documentation",
]

Value = str | int | bool | datetime | UUID | None

TABLE = "public.clickstream_events"

# The names of the fallbacks of columns without a present source; `flatten` knows their values.
OBJECT_KEY = "UUIDv5 of the object key"
LAST_MODIFIED = "LastModified of the object"
UNKNOWN = "unknown"

EVENT_NAMES = (
    "page_view",
    "click",
    "home_view",
    "category_view",
    "product_view",
    "add_to_cart_click",
    "remove_from_cart_click",
    "wishlist_toggle",
    "share_click",
    "login_open",
    "login_success",
    "logout",
    "checkout_start",
    "checkout_complete",
)

# Members that only raw keeps, as our publisher spells them.
RAW_MEMBERS = (
    "pageUrl",
    "referrer",
    "element.tag",
    "element.id",
    "element.role",
    "element.text",
    "element.dataset",
    "tabId",
    "seq",
    "dropped.overflow",
    "dropped.refused",
    "dropped.withheld",
    "cart.items",
    "cart.total",
    "cart.currency",
    "order.id",
    "order.items",
    "order.total",
    "order.currency",
    "wishlisted",
    "channel",
    "publisher.name",
    "publisher.version",
    "context.timeZone",
    "context.language",
)

CONVERTERS: Mapping[str, Callable[..., Value]] = {
    "UUID": convert.to_uuid,
    "TIMESTAMPTZ": convert.to_timestamp,
    "TEXT": convert.to_text,
    "BOOLEAN": convert.to_boolean,
    "BIGINT": convert.to_bigint,
}


@dataclass(frozen=True)
class Column:
    """One column of the warehouse, and the payload members that it comes from.

    Attributes:
        name: The column's name.
        type: Its SQL type.
        sources: Payload members as dotted paths; the first present one counts. A member is present if it is not null,
            not `""`, and converts to the type.
        constraint: Its SQL constraint.
        fallback: The name of the value that the column takes if no source is present; empty for NULL.
        is_price: Whether `PRICE_DECIMALS` applies.
        decimals: A BIGINT holds the member times 10 to this power.
    """

    name: str
    type: str
    sources: tuple[str, ...]
    constraint: str = ""
    fallback: str = ""
    is_price: bool = False
    decimals: int = 0

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """The sources, split at their dots."""
        return tuple(tuple(source.split(".")) for source in self.sources)

    @cached_property
    def convert(self) -> Callable[[Json], Value]:
        """The function that converts one JSON value to this column's type; it gives None if the value does not fit."""
        converter = CONVERTERS[self.type]
        return partial(converter, decimals=self.decimals) if self.decimals else converter

    def with_decimals(self, price_decimals: int) -> "Column":
        """Give this column, which keeps so many decimals if it is a price."""
        return replace(self, decimals=price_decimals) if self.is_price else self

    def origin(self, payload: JsonObject) -> tuple[str | None, Value]:
        """Give the member of a parsed raw object that this column comes from, and its value; or None and None."""
        for source, path in zip(self.sources, self.paths, strict=True):
            found: Json = payload
            for name in path:
                found = found.get(name) if isinstance(found, dict) else None
            if found is not None and found != "":
                value = self.convert(found)
                if value is not None:
                    return source, value
        return None, None

    def value(self, payload: JsonObject) -> Value:
        """Give this column's value for a parsed raw object; None if no source is present."""
        return self.origin(payload)[1]


COLUMNS = (
    Column("event_id", "UUID", ("eventId", "event_id"), "PRIMARY KEY", fallback=OBJECT_KEY),
    Column(
        "event_timestamp",
        "TIMESTAMPTZ",
        ("_ingest.receivedAt", "eventTimestamp", "event_timestamp"),
        "NOT NULL",
        fallback=LAST_MODIFIED,
    ),
    Column("event_name", "TEXT", ("eventName", "event_name"), "NOT NULL", fallback=UNKNOWN),
    Column("user_id", "TEXT", ("userId", "user_id")),
    Column("user_login_state", "TEXT", ("userLoginState", "user_login_state")),
    Column("identity_source", "TEXT", ("identitySource", "identity_source")),
    Column("client_id", "TEXT", ("clientId", "client_id")),
    Column("session_id", "TEXT", ("sessionId", "session_id")),
    Column("is_first_visit", "BOOLEAN", ("isFirstVisit", "is_first_visit")),
    Column("context_product_id", "TEXT", ("product.id",)),
    Column("context_product_name", "TEXT", ("product.name",)),
    Column("context_product_category", "TEXT", ("product.category",)),
    Column(
        "context_product_brand",
        "TEXT",
        ("product.brandName", "product.brand_name", "product.brand.name", "product.brand.title", "product.brand"),
    ),
    Column("context_product_price", "BIGINT", ("product.price",), is_price=True),
    Column(
        "context_product_discount_price", "BIGINT", ("product.discountPrice", "product.discount_price"), is_price=True
    ),
    Column("context_product_url_path", "TEXT", ("product.urlPath", "product.url_path")),
)

# The positions of these two columns in a row.
EVENT_ID, EVENT_TIMESTAMP = (
    [column.name for column in COLUMNS].index(name) for name in ("event_id", "event_timestamp")
)


@cache
def columns_with(price_decimals: int) -> tuple[Column, ...]:
    """Give `COLUMNS`, in which prices keep so many decimals."""
    return tuple(column.with_decimals(price_decimals) for column in COLUMNS)


def documentation() -> str:
    """Give the columns as a Markdown table, for the docs."""
    rows = [
        f"| `{column.name}` | {f'{column.type} {column.constraint}'.strip()} "
        f"| {', '.join(f'`{source}`' for source in column.sources)} | {column.fallback or 'NULL'} |"
        for column in COLUMNS
    ]
    return "\n".join(["| column | type | from, the first that is present | otherwise |", "|---|---|---|---|", *rows])
