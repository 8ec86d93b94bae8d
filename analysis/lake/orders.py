"""Reads the orders of events as rows of the lake's table of orders, with their lines."""

import polars as pl

from analysis.lake.schema import ORDER_COLUMNS
from analysis.rows.orders import read_items, read_orders

__all__ = ["orders_of"]


def orders_of(events: pl.DataFrame) -> pl.DataFrame:
    """Give the orders of some events.

    Args:
        events: Rows of the lake's table of events.

    Returns:
        One row per event that placed an order, with ORDER_COLUMNS, in no order. Several events may have placed the same
        order.
    """
    placed = events.filter(pl.col("event_name") == "checkout_complete", pl.col("order").is_not_null())
    orders, items = read_orders(placed), read_items(placed)
    lines = items.group_by("event_id", maintain_order=True).agg(lines=pl.struct("product_id", "quantity", "revenue"))
    senders = placed.select(
        "event_id",
        "client_id",
        "user_id",
        "key",
        "partition_hour",
        "occurred_at",
        placed_at="event_timestamp",
        login_state="user_login_state",
    )
    whole = orders.join(senders, "event_id").join(lines, "event_id", how="left")
    return whole.select(pl.col(name).cast(kind) for name, kind in ORDER_COLUMNS.items())
