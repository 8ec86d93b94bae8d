"""Small event histories for the tests of metrics, and both engines over them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
from polars.testing import assert_frame_equal

from analysis import Range, RawEvents, WarehouseEvents
from analysis.lake.derived import SOURCES
from chalicelib.contract import COLUMNS
from chalicelib.warehouse.schema import SCHEMA

__all__ = ["MONDAY", "RANGE", "Event", "at", "check", "event", "fill", "frame_of", "raw_of", "warehouse_of"]

Event = dict[str, Any]

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
RANGE = Range(MONDAY, MONDAY + timedelta(days=28), zone="UTC")

_SHORT = {
    "client": "client_id",
    "user": "user_id",
    "session": "session_id",
    "login": "user_login_state",
    "first": "is_first_visit",
    "product": "context_product_id",
    "product_name": "context_product_name",
    "category": "context_product_category",
    "brand": "context_product_brand",
    "price": "context_product_price",
    "discount": "context_product_discount_price",
    "order": "order",
    "page": "page_url",
    "referrer": "referrer",
    "agent": "user_agent",
    "time_zone": "time_zone",
}
_DTYPES: dict[str, pl.DataType] = {
    "TIMESTAMPTZ": pl.Datetime("us", "UTC"),
    "BIGINT": pl.Int64(),
    "BOOLEAN": pl.Boolean(),
    "TEXT": pl.String(),
    "UUID": pl.String(),
}
_CONTRACT = {column.name: _DTYPES[column.type] for column in COLUMNS}


def at(seconds: float) -> datetime:
    """The time so many seconds after the Monday on which all histories begin."""
    return MONDAY + timedelta(seconds=seconds)


def event(seconds: float, name: str = "page_view", number: int | None = None, **columns: Any) -> Event:
    """One event; its id is UUID(`number`), or else its place in the history."""
    named = {_SHORT[short]: value for short, value in columns.items()}
    return {"event_timestamp": at(seconds), "event_name": name, "event_id": number} | named


def frame_of(events: Sequence[Event], *, derived: bool = False) -> pl.DataFrame:
    """The events as they are read from raw, perhaps with the fields from which columns are derived."""
    schema = {**_CONTRACT, **dict.fromkeys(("order", *(SOURCES if derived else ())), pl.String())}
    numbered = [
        event | {"event_id": str(UUID(int=place if event["event_id"] is None else event["event_id"]))}
        for place, event in enumerate(events, 1)
    ]
    return pl.DataFrame(numbered, schema, orient="row")


def raw_of(events: Sequence[Event], *, derived: bool = False) -> RawEvents:
    """The events in DuckDB, perhaps with derived columns."""
    return RawEvents(frame_of(events, derived=derived))


def fill(url: str, events: Sequence[Event]) -> None:
    """Make the events the rows of the warehouse, and no others."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA.create_events)
        cursor.execute("TRUNCATE clickstream_events")
        cursor.executemany(SCHEMA.insert, frame_of(events).select(*_CONTRACT).rows())


def warehouse_of(url: str, events: Sequence[Event]) -> WarehouseEvents:
    """The events in PostgreSQL."""
    fill(url, events)
    return WarehouseEvents(url)


def check(frame: pl.DataFrame, schema: dict[str, Any], rows: Sequence[tuple[Any, ...]]) -> None:
    """Assert that a frame has exactly these columns, types and rows, in this order."""
    assert_frame_equal(frame, pl.DataFrame(rows, schema, orient="row"), check_exact=True)
