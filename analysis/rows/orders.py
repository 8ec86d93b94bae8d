"""Reads orders from the `order` members of raw `checkout_complete` events, with every digit as it was sent."""

from collections.abc import Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

import polars as pl

from chalicelib.convert import to_bigint, to_text
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import Json, JsonObject, Number, parse

__all__ = ["read_orders"]

_SCHEMA: Mapping[str, pl.DataType] = {
    "event_id": pl.String(),
    "order_id": pl.String(),
    "currency": pl.String(),
    "total": pl.Decimal(38, 18),
    "items": pl.Int64(),
}

# Totals below a trillion with 18 decimals, the most that JavaScript prints: a hundred million of them do not overflow.
_MONEY = Context(prec=30, traps=[InvalidOperation, Inexact])
_MONEY_UNIT = Decimal("1e-18")
_MAX_QUANTITY = 10**9


def read_orders(events: pl.DataFrame) -> pl.DataFrame:
    """Read the orders of `checkout_complete` events.

    DuckDB's JSON functions cannot do this: they read every number as a double, and take the first of duplicate members.

    Args:
        events: Columns `event_id`, `event_name` and `order` (JSON text, null if absent), among others.

    Returns:
        One row per event whose `order` has an id: `event_id`, `order_id`, `currency`, `total`, `items`. Ids and
        currencies convert as the contract's TEXT does. `total` is exact; it is null if it is not a JSON number, has
        more than 18 decimals, or is a trillion or more. `items` is the sum of the items' quantities, each rounded as
        the contract rounds; an item adds nothing if its quantity is not a number up to a billion.
    """
    sent = events.filter(pl.col("event_name") == "checkout_complete", pl.col("order").is_not_null())
    rows = [_row(event_id, _object(text)) for event_id, text in sent.select("event_id", "order").iter_rows()]
    return pl.DataFrame([row for row in rows if row[1]], _SCHEMA, orient="row")


def _object(text: str) -> JsonObject:
    """Parse a JSON object; any other text gives an empty object, which has no id."""
    try:
        return parse(text)
    except InvalidEvent:
        return {}


def _row(event_id: str, order: JsonObject) -> tuple[str, str | None, str | None, Decimal | None, int]:
    currency = to_text(order.get("currency")) or None
    return event_id, to_text(order.get("id")), currency, _money(order.get("total")), _items(order.get("items"))


def _money(value: Json) -> Decimal | None:
    if not isinstance(value, Number):
        return None
    try:
        return _MONEY.quantize(Decimal(value), _MONEY_UNIT)
    except DecimalException:
        return None


def _items(items: Json) -> int:
    return sum(_quantity(item) for item in items) if isinstance(items, list) else 0


def _quantity(item: Json) -> int:
    quantity = item.get("quantity") if isinstance(item, dict) else None
    count = to_bigint(quantity) if isinstance(quantity, Number) else None
    return count if count is not None and abs(count) <= _MAX_QUANTITY else 0
