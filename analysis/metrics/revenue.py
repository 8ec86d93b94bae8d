"""Revenue: orders, totals and items, from raw or the lake; the warehouse has no orders. See docs/metrics.md."""

from typing import get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.errors import AnalysisError
from analysis.metrics.arguments import check_choice, check_limit
from analysis.metrics.overview import TimeGrain, with_periods
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["check_orders", "revenue", "revenue_by_category", "revenue_by_product", "revenue_over_time"]

SOLD_ITEMS = {
    "first_orders": "revenue/first_orders",
    "latest_products": "latest_products",
    "sold_items": "revenue/sold_items",
}


def revenue(engine: Engine, within: Range) -> pl.DataFrame:
    """Add up the orders of each currency.

    An order counts once: the first `checkout_complete` with its id counts, if it is in the range. Earlier ones are
    known as far as events were read before the range. The metric follows Plausible's revenue goals.

    Args:
        engine: Where to compute: `RawEvents` with the column `order`, or an engine over the lake.
        within: The time range, and the login state.

    Returns:
        One row per currency: `currency` (`unknown` if the order names no currency), `orders`, `revenue` (exact,
        Decimal(38, 18); null if no order has a total), `average_order_value` (of the orders with a total), `items`,
        `orders_without_total`. Order: currency.

    Raises:
        AnalysisError: The engine has no orders.
    """
    check_orders(engine)
    return engine.query(statement("revenue/revenue", first_orders="revenue/first_orders"), within.parameters)


def revenue_over_time(engine: Engine, within: Range, grain: TimeGrain = "day") -> pl.DataFrame:
    """Add up the orders of each currency per period; orders count as in `revenue`.

    Args:
        engine: Where to compute: `RawEvents` with the column `order`, or an engine over the lake.
        within: The time range, and the login state.
        grain: `minute`, `hour`, `day`, `week` or `month`, of the range's zone.

    Returns:
        One row per period and currency with orders: `period` (the instant at which it begins in the range's zone, as
        UTC), `currency`, `orders`, `revenue`. Order: period, currency.

    Raises:
        AnalysisError: `grain` has another value, or the engine has no orders.
    """
    check_choice("grain", grain, get_args(TimeGrain))
    check_orders(engine)
    text = statement("revenue/over_time", first_orders="revenue/first_orders", local_events="local_events")
    return with_periods(engine.query(text, {**within.parameters, "grain": grain}), within, grain)


def revenue_by_product(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Add up what was sold of each product, by currency; orders count as in `revenue`.

    Args:
        engine: Where to compute: `RawEvents` with the column `order`, or an engine over the lake.
        within: The time range, and the login state.
        limit: The greatest number of products of each currency; None for all.

    Returns:
        One row per currency and product in `order.items`: `currency` and `product_id` (`unknown` if there is none),
        `product_name` and `category` (each from the product's latest event that has one; null, and `unknown`, without
        one), `orders`, `buyers` (their visitors), `items` (Σ quantity), `revenue` (the sum of price times quantity,
        exact, Decimal(38, 18); null if no line has one), `lines_without_revenue`. Order: currency, then revenue,
        highest first, then product_id.

    Raises:
        AnalysisError: `limit` is negative, or the engine has no orders.
    """
    check_limit(limit)
    check_orders(engine)
    return engine.query(statement("revenue/by_product", **SOLD_ITEMS), {**within.parameters, "limit": limit})


def revenue_by_category(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Add up what was sold of each category, by currency; a product's category is that of `revenue_by_product`.

    Args:
        engine: Where to compute: `RawEvents` with the column `order`, or an engine over the lake.
        within: The time range, and the login state.
        limit: The greatest number of categories of each currency; None for all.

    Returns:
        One row per currency and category: `currency`, `category`, `orders`, `buyers`, `items`, `revenue` and
        `lines_without_revenue`, as in `revenue_by_product`. Order: currency, then revenue, highest first, then
        category.

    Raises:
        AnalysisError: `limit` is negative, or the engine has no orders.
    """
    check_limit(limit)
    check_orders(engine)
    return engine.query(statement("revenue/by_category", **SOLD_ITEMS), {**within.parameters, "limit": limit})


def check_orders(engine: Engine) -> None:
    """Raise AnalysisError if an engine has no orders."""
    if not engine.has_orders:
        needed = "revenue needs orders, which the warehouse does not hold"
        raise AnalysisError(f"{needed}: use raw events with the raw column `order` (fields=['order']), or the lake")
