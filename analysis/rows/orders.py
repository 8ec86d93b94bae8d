"""Reads orders and their items from the `order` members of raw events, with every digit as it was sent."""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

import polars as pl

from chalicelib.convert import WHITESPACE, to_bigint, to_number, to_text
from chalicelib.errors import InvalidEvent
from chalicelib.json_object import Json, JsonObject, parse

__all__ = ["read_items", "read_orders"]

_SCHEMA: Mapping[str, pl.DataType] = {
    "event_id": pl.String(),
    "order_id": pl.String(),
    "currency": pl.String(),
    "total": pl.Decimal(38, 18),
    "items": pl.Int64(),
}
_ITEM_SCHEMA: Mapping[str, pl.DataType] = {
    "event_id": pl.String(),
    "product_id": pl.String(),
    "quantity": pl.Int64(),
    "revenue": pl.Decimal(38, 18),
}

# Totals below a trillion with 18 decimals, the most that JavaScript prints: a hundred million of them do not overflow.
_MONEY = Context(prec=30, traps=[InvalidOperation, Inexact])
# Two such numbers have 60 digits together, so their product is exact.
_PRODUCT = Context(prec=60)
_MONEY_UNIT = Decimal("1e-18")
_MAX_QUANTITY = 10**9


def read_orders(events: pl.DataFrame) -> pl.DataFrame:
    """Read the orders of `checkout_complete` events.

    DuckDB's JSON functions cannot do this: they read every number as a double, and take the first of duplicate members.

    Args:
        events: Columns `event_id`, `event_name` and `order` (JSON text, null if absent), among others.

    Returns:
        One row per event whose `order` has an id: `event_id`, `order_id`, `currency`, `total`, `items`. Ids and
        currencies convert as the contract's TEXT does; currencies are trimmed and in upper case. `total` is exact; it
        is null if it is not a number, also as trimmed text, has more than 18 decimals, or is a trillion or more.
        `items` is the sum of the items' quantities, each rounded as the contract rounds; an item adds nothing if its
        quantity is not a number up to a billion.
    """
    return pl.DataFrame([_row(event_id, order) for event_id, order in _orders(events)], _SCHEMA, orient="row")


def read_items(events: pl.DataFrame) -> pl.DataFrame:
    """Read the items of the orders of `checkout_complete` events.

    Args:
        events: As for `read_orders`.

    Returns:
        One row per entry of `order.items`, in any order: `event_id`, `product_id`, `quantity` (as `read_orders` counts
        it), and `revenue`: price times quantity as both were sent, exact. It is null if one of the three cannot be a
        total of an order.
    """
    rows = [(event_id, *_item(item)) for event_id, order in _orders(events) for item in _list(order.get("items"))]
    return pl.DataFrame(rows, _ITEM_SCHEMA, orient="row")


def _orders(events: pl.DataFrame) -> Iterator[tuple[str, JsonObject]]:
    """Give the id of each event with an order, and the order."""
    sent = events.filter(pl.col("event_name") == "checkout_complete", pl.col("order").is_not_null())
    for event_id, text in sent.select("event_id", "order").iter_rows():
        order = _object(text)
        if to_text(order.get("id")):
            yield event_id, order


def _object(text: str) -> JsonObject:
    """Parse a JSON object; any other text gives an empty object, which has no id."""
    try:
        return parse(text)
    except InvalidEvent:
        return {}


def _row(event_id: str, order: JsonObject) -> tuple[str, str | None, str | None, Decimal | None, int]:
    currency = (to_text(order.get("currency")) or "").strip(WHITESPACE).upper() or None
    items = sum(_quantity(item) for item in _list(order.get("items")))
    return event_id, to_text(order.get("id")), currency, _money(order.get("total")), items


def _item(item: Json) -> tuple[str | None, int, Decimal | None]:
    members = item if isinstance(item, dict) else {}
    price, quantity = _money(members.get("price")), _money(members.get("quantity"))
    revenue = None if price is None or quantity is None else _as_money(_PRODUCT.multiply(price, quantity))
    return to_text(members.get("id")) or None, _quantity(item), revenue


def _money(value: Json) -> Decimal | None:
    number = to_number(value)
    return None if number is None else _as_money(number)


def _as_money(number: str | Decimal) -> Decimal | None:
    """Give an amount with 18 decimals; None if that is not exact, or a trillion or more."""
    try:
        return _MONEY.quantize(Decimal(number), _MONEY_UNIT)
    except DecimalException:
        return None


def _list(items: Json) -> list[Json]:
    return items if isinstance(items, list) else []


def _quantity(item: Json) -> int:
    count = to_bigint(item.get("quantity")) if isinstance(item, dict) else None
    return count if count is not None and abs(count) <= _MAX_QUANTITY else 0
