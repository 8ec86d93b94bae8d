"""Describes raw objects for the checks: one row per object."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from analysis.checks.validation.decimals import rounded_prices
from analysis.checks.validation.finding import Check, counted
from analysis.checks.validation.members import lost_values, missing_members, unknown_members
from analysis.raw.partitions import hour_of
from analysis.rows.fields import fields_named
from chalicelib.contract import COLUMNS
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import row_of
from chalicelib.json_object import JsonObject, decode, parse

__all__ = ["SCHEMA", "describe", "unreadable_check"]

TIME = pl.Datetime("us", "UTC")
SCHEMA: dict[str, Any] = {
    "key": pl.String,
    "partition": TIME,  # the hour in the key, UTC; null if the key has no hour
    "corrupt": pl.String,  # why the object is not an event; the columns below are null then
    "event_id": pl.String,  # as in the warehouse
    "sent_event_id": pl.String,
    "event_name": pl.String,
    "event_timestamp": TIME,  # as in the warehouse
    "sent_at": TIME,
    "received_at": TIME,
    "client_id": pl.String,
    "user_id": pl.String,
    "session_id": pl.String,
    "tab_id": pl.String,
    "seq": pl.Int64,
    "is_first_visit": pl.Boolean,
    "drops": pl.Int64,
    "price": pl.Int64,
    "discount_price": pl.Int64,
    "missing": pl.List(pl.String),
    "unknown": pl.List(pl.String),
    "lost": pl.List(pl.Struct({"column": pl.String, "member": pl.String, "reason": pl.String})),
    "rounded": pl.List(pl.Struct({"member": pl.String, "value": pl.String, "decimals": pl.Int64})),
}
DROPS = ("dropped_overflow", "dropped_refused", "dropped_withheld")
_NAMES = tuple(column.name for column in COLUMNS)
_FIELDS = fields_named(("sent_event_id", "sent_event_timestamp", "received_at", "tab_id", "seq", *DROPS))


def describe(objects: Iterable[tuple[str, bytes]], price_decimals: int = 0) -> pl.DataFrame:
    """Describe pairs of key and body: one row per object, with the columns of SCHEMA, in the given order."""
    rows = [_described(key, body, price_decimals) for key, body in objects]
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in SCHEMA}, SCHEMA)


def unreadable_check(unreadable: Sequence[dict[str, object]]) -> Check:
    """Check that every object could be read; `unreadable` has `key` and `reason` of each one that could not."""
    return Check(
        "unreadable_objects",
        "error",
        counted(len(unreadable), "object or folder could not be read", "objects or folders could not be read"),
        "none",
        "Give this role s3:GetObject and the keys of KMS, restore archived objects, or mend the permissions of files. "
        "Until then the other checks lack these objects, and lost_events may name their numbers.",
        sorted(unreadable, key=lambda each: str(each["key"])),
    )


def _described(key: str, body: bytes, price_decimals: int) -> dict[str, Any]:
    known = {"key": key, "partition": hour_of(key)}
    try:
        payload = parse(decode(body))
    except InvalidEvent as error:
        return known | {"corrupt": str(error)}
    # The last argument stands in for a missing time; the checks do not look at such an event's time.
    row = dict(zip(_NAMES, row_of(payload, key, datetime.min.replace(tzinfo=UTC), price_decimals), strict=True))
    rounded = list(rounded_prices(payload, price_decimals))
    return known | _of_row(row) | _of_payload(payload, str(row["event_name"])) | {"rounded": rounded}


def _of_row(row: dict[str, Any]) -> dict[str, Any]:
    names = ("event_name", "event_timestamp", "client_id", "user_id", "session_id", "is_first_visit")
    prices = {"price": row["context_product_price"], "discount_price": row["context_product_discount_price"]}
    return {"event_id": str(row["event_id"]), **{name: row[name] for name in names}, **prices}


def _of_payload(payload: JsonObject, event_name: str) -> dict[str, Any]:
    fields = {field.name: field.value(payload) for field in _FIELDS}
    drops = [fields.pop(name) for name in DROPS]
    return {
        **fields,
        "sent_at": fields.pop("sent_event_timestamp"),
        "drops": sum(count for count in drops if isinstance(count, int))
        if any(drop is not None for drop in drops)
        else None,
        "missing": missing_members(payload, event_name),
        "unknown": unknown_members(payload),
        "lost": list(lost_values(payload)),
    }
