"""The figures that a shop looks at first, of a range and over time. Definitions: docs/metrics.md."""

from typing import get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.arguments import check_choice
from analysis.metrics.overview import TimeGrain, with_periods
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["key_figures", "key_figures_over_time"]


def key_figures(engine: Engine, within: Range) -> pl.DataFrame:
    """Count visitors, sessions, views, adds and checkouts, with their rates.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.

    Returns:
        One row: `events`, `visitors`, `sessions`, `views`, `product_views`, `add_to_cart_clicks`, `checkout_completes`,
        `add_rate` = add_to_cart_clicks ÷ product_views (null without product views), `visitor_conversion` = visitors
        with a `checkout_complete` ÷ visitors (null without visitors).
    """
    return engine.query(statement("overview/key_figures"), within.parameters)


def key_figures_over_time(engine: Engine, within: Range, grain: TimeGrain = "day") -> pl.DataFrame:
    """Give the key figures of each period; a visitor counts once in each period.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        grain: `minute`, `hour`, `day`, `week` or `month`, of the range's zone.

    Returns:
        One row per period with events: `period` (the instant at which it begins in the range's zone, as UTC), then the
        columns of `key_figures`. Order: period.

    Raises:
        AnalysisError: `grain` has another value.
    """
    check_choice("grain", grain, get_args(TimeGrain))
    text = statement("overview/key_figures_over_time", local_events="local_events")
    return with_periods(engine.query(text, {**within.parameters, "grain": grain}), within, grain)
