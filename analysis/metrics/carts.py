"""Carts: how many are left behind. Definitions: docs/metrics.md."""

import polars as pl

from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["carts"]


def carts(engine: Engine, within: Range) -> pl.DataFrame:
    """Give one row that says how many sessions leave their cart, and how many their checkout.

    Columns: `sessions_with_cart`, `sessions_with_purchase` (after the first add), `abandonment`,
    `sessions_with_checkout_start` (after the first add), `checkout_abandonment` (shares of 1, null without any).
    Definition: dbt-snowplow-ecommerce, `snowplow_ecommerce_sessions_this_run.sql`. A cart is an `add_to_cart_click`.
    """
    return engine.query(statement("carts"), within.parameters)
