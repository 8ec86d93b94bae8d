"""Orders: what the `order` members of raw `checkout_complete` events say, with every digit as it was sent."""

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

# Below a trillion with 18 decimals, as many as JavaScript prints: a hundred million orders add up without overflow.
_MONEY = Context(prec=30, traps=[InvalidOperation, Inexact])
_MONEY_UNIT = Decimal("1e-18")
_MAX_QUANTITY = 10**9


def read_orders(events: pl.DataFrame) -> pl.DataFrame:
    """Give one row per `checkout_complete` event whose `order` has an id.

    Columns: `event_id`, `order_id`, `currency`, `total`, `items`. `total` is the exact number, or null where it is no
    JSON number, has more than 18 decimals or is a trillion or more. `items` is the sum of the quantities of its items,
    each rounded as the contract rounds; an item whose quantity is no number up to a billion adds nothing. Ids and
    currencies convert as the contract's TEXT does. DuckDB's JSON functions are no way to do this: they read every
    number as a double, and the first of duplicates.
    """
    sent = events.filter(pl.col("event_name") == "checkout_complete", pl.col("order").is_not_null())
    rows = [_row(event_id, _object(text)) for event_id, text in sent.select("event_id", "order").iter_rows()]
    return pl.DataFrame([row for row in rows if row[1]], _SCHEMA, orient="row")


def _object(text: str) -> JsonObject:
    """The JSON object `text`; an empty one for anything else, which has no id."""
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
