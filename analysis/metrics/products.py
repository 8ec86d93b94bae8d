"""Products: which ones visitors view, add to the cart and buy. Definitions: docs/metrics.md."""

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.arguments import check_limit
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["discount_effect", "products"]


def products(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Count views, adds and purchases of each product.

    A purchase session has a click on the product's add button, and a `checkout_complete` later. Definitions: Mapp,
    dbt-snowplow-ecommerce.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.

    Returns:
        One row per product id: `product_id`, `product_name`, `category` and `brand` (each from the latest event that
        has one), `views`, `adds`, `removes`, `wishlists`, `view_sessions`, `purchase_sessions`, `add_rate` = adds ÷
        views, `conversion` = purchase_sessions ÷ view_sessions. Order: views, most first, then product_id.

    Raises:
        AnalysisError: `limit` is negative.
    """
    check_limit(limit)
    return engine.query(statement("products", latest_products="latest_products"), {**within.parameters, "limit": limit})


def discount_effect(engine: Engine, within: Range) -> pl.DataFrame:
    """Compare discounted with other products, over the views and adds of products that have a price.

    Returns:
        One row for products without a discount and one for products with a discount, each only if it occurs:
        `is_discounted` (the discount price is below the price), `views`, `adds`, `add_rate` = adds ÷ views. Order:
        is_discounted, false first.
    """
    return engine.query(statement("discount_effect"), within.parameters)
