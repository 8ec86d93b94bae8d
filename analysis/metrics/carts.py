"""Carts: how many sessions leave a cart behind. Definitions: docs/metrics.md."""

import polars as pl

from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["carts"]


def carts(engine: Engine, within: Range) -> pl.DataFrame:
    """Count the sessions that abandon their cart, and the sessions that abandon their checkout.

    A session has a cart if it has an `add_to_cart_click`. Definition: dbt-snowplow-ecommerce,
    `snowplow_ecommerce_sessions_this_run.sql`.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.

    Returns:
        One row: `sessions_with_cart`, `sessions_with_purchase` (after the first add), `abandonment` (a share of 1; null
        if no session has a cart), `sessions_with_checkout_start` (after the first add), `checkout_abandonment` (a share
        of 1; null if no session starts a checkout).

    Raises:
        AnalysisError: The events cannot be read.
    """
    return engine.query(statement("carts"), within.parameters)
