"""Products: which are looked at, wanted and bought. Definitions: docs/metrics.md."""

import polars as pl

from analysis.metrics.arguments import check_limit
from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["discount_effect", "products"]


def products(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Give one row per product id; all of them without a limit.

    Columns: `product_id`, `product_name`, `category`, `brand` (each of its latest event that has one), `views`, `adds`,
    `removes`, `wishlists`, `view_sessions`, `purchase_sessions`, `add_rate` = adds ÷ views, `conversion` =
    purchase_sessions ÷ view_sessions. A purchase session has a click on its add button and a `checkout_complete` later.
    Order: views, most first, then product_id. Definitions: Mapp, dbt-snowplow-ecommerce. Raises AnalysisError for a
    negative limit.
    """
    check_limit(limit)
    return engine.query(statement("products"), {**within.parameters, "limit": limit})


def discount_effect(engine: Engine, within: Range) -> pl.DataFrame:
    """Per `is_discounted` (the discount price is below the price): `views`, `adds`, `add_rate` = adds ÷ views.

    Over the views and adds of products with a price; false comes first, and what does not occur has no row.
    """
    return engine.query(statement("discount_effect"), within.parameters)
