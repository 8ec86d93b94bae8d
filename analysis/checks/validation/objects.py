"""Describes raw objects for the checks: one row per object."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from analysis.checks.validation.finding import Check, counted
from analysis.raw.partitions import hour_of
from analysis.rows.browser_time import SENT_AT
from analysis.rows.columns import DTYPES
from analysis.rows.fields import fields_named
from analysis.rows.oddities.judging import lost_values, missing_members, unknown_members
from analysis.rows.oddities.rounding import rounded_prices
from chalicelib.contract import COLUMNS
from chalicelib.convert import to_text
from chalicelib.errors import InvalidEvent
from chalicelib.flatten import row_of
from chalicelib.json_object import Json, JsonObject, decode, parse

__all__ = ["DROPS", "KNOWN", "PLACED", "ROW", "SCHEMA", "describe_each", "unreadable_check"]

TIME = pl.Datetime("us", "UTC")
ROW: dict[str, pl.DataType] = {column.name: DTYPES[column.type] for column in COLUMNS}  # as in the warehouse
SCHEMA: dict[str, Any] = {
    "key": pl.String,
    "partition": TIME,  # the hour in the key, UTC; null if the key has no hour
    "corrupt": pl.String,  # why the object is not an event; the columns below are null then
    **ROW,
    "sent_event_id": pl.String,
    "sent_at": TIME,  # the browser's clock, also where it is written in seconds or milliseconds since 1970
    "received_at": TIME,
    "seen_at": TIME,  # received_at; where that is missing, when the object was stored
    "tab_id": pl.String,
    "seq": pl.Int64,
    "drops": pl.Int64,
    "publisher": pl.String,  # name and version; null if the event names none
    "source_ip": pl.String,
    "user_agent": pl.String,
    "missing": pl.List(pl.String),
    "unknown": pl.List(pl.String),
    "lost": pl.List(pl.Struct({"column": pl.String, "member": pl.String, "reason": pl.String})),
    "rounded": pl.List(pl.Struct({"member": pl.String, "value": pl.String, "decimals": pl.Int64})),
}
# Columns that a validation adds.
PLACED: dict[str, Any] = {"number": pl.UInt32, "is_here": pl.Boolean, "is_young": pl.Boolean}
# What is read of events that are only compared with others.
KNOWN = ("key", *ROW, "received_at", "sent_at", "tab_id", "seq")
DROPS = ("dropped_overflow", "dropped_refused", "dropped_withheld")
_FIELDS = fields_named(("sent_event_id", "received_at", "tab_id", "seq", "source_ip", "user_agent", *DROPS))


def describe_each(
    objects: Iterable[tuple[str, bytes]], last_modified: Callable[[str], datetime], price_decimals: int = 0
) -> pl.DataFrame:
    """Describe objects one by one, by the contract's own mapping; arguments and result are those of `describe`."""
    rows = [_described(key, body, last_modified, price_decimals) for key, body in objects]
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in SCHEMA}, SCHEMA)


def unreadable_check(unreadable: Mapping[str, str]) -> Check:
    """Report what could not be read; `unreadable` has the reason by the key."""
    return Check(
        "unreadable_objects",
        "error",
        counted(len(unreadable), "object or folder could not be read", "objects or folders could not be read"),
        "none",
        "Give this role s3:GetObject and the keys of KMS, restore archived objects, or mend the permissions of files. "
        "Until then the other checks lack these objects, and lost_events may name their numbers.",
        [{"key": key, "reason": reason} for key, reason in sorted(unreadable.items())],
    )


def _described(key: str, body: bytes, last_modified: Callable[[str], datetime], price_decimals: int) -> dict[str, Any]:
    known = {"key": key, "partition": hour_of(key)}
    try:
        payload = parse(decode(body))
    except InvalidEvent as error:
        return known | {"corrupt": str(error)}
    fields = {field.name: field.value(payload) for field in _FIELDS}
    seen_at = fields["received_at"] or last_modified(key)
    row = dict(zip(ROW, row_of(payload, key, seen_at, price_decimals), strict=True))  # type: ignore[arg-type]  # a time
    drops = [fields.pop(name) for name in DROPS]
    return {
        **known,
        **row,
        **fields,
        "event_id": str(row["event_id"]),
        "sent_at": SENT_AT.value(payload),
        "seen_at": seen_at,
        "drops": sum(count for count in drops if isinstance(count, int))
        if any(drop is not None for drop in drops)
        else None,
        "publisher": _publisher(payload),
        "missing": missing_members(payload, str(row["event_name"])),
        "unknown": unknown_members(payload),
        "lost": list(lost_values(payload)),
        "rounded": list(rounded_prices(payload, price_decimals)),
    }


def _publisher(payload: JsonObject) -> str | None:
    found: Json = payload.get("publisher")
    if not isinstance(found, dict):
        return None
    return " ".join(filter(None, (to_text(found.get(name)) for name in ("name", "version")))) or None
