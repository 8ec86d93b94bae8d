"""Carts: how many sessions leave a cart behind. Definitions: docs/metrics.md."""

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["carts"]


def carts(engine: Engine, within: Range) -> pl.DataFrame:
    """Count the sessions that abandon their cart, and the sessions that abandon their checkout.

    A session has a cart if it has an `add_to_cart_click`. `abandonment` and `checkout_abandonment` are our own
    definitions: one purchase is enough. The last four columns count carts, as dbt-snowplow-ecommerce does
    (`snowplow_ecommerce_sessions_this_run.sql`): a session with two carts and one purchase is abandoned there.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.

    Returns:
        One row: `sessions_with_cart`, `sessions_with_purchase` (after the first add), `abandonment` (a share of 1; null
        if no session has a cart), `sessions_with_checkout_start` (after the first add), `checkout_abandonment` (a share
        of 1; null if no session starts a checkout), `number_carts_created` (adds to an empty cart: a purchase empties
        it, and so does the removal of every product), `number_carts_transacted` (purchases in sessions with a cart),
        `session_cart_abandoned` (sessions with fewer carts transacted than created), `session_cart_abandonment` (their
        share of `sessions_with_cart`).

    Raises:
        AnalysisError: The events cannot be read.
    """
    return engine.query(statement("carts"), within.parameters)
