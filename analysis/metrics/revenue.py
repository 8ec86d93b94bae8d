"""Revenue: what was ordered, from raw only, since the warehouse holds no orders. Definitions: docs/metrics.md."""

from typing import get_args

import polars as pl

from analysis.errors import AnalysisError
from analysis.metrics.arguments import check_choice
from analysis.metrics.engine import RawEvents
from analysis.metrics.overview import TimeGrain
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["revenue", "revenue_over_time"]


def revenue(raw: RawEvents, within: Range) -> pl.DataFrame:
    """Give one row per currency.

    Columns: `currency` (`unknown` where none was sent), `orders`, `revenue` (exact, Decimal(38, 18)),
    `average_order_value` (of the orders with a total), `items`, `orders_without_total`. An order counts once, as the
    first `checkout_complete` with its id says; `revenue` is null if no order has a total. Order: currency. After
    Plausible's revenue goals. Raises AnalysisError if the raw events come without orders.
    """
    _check_orders(raw)
    return raw.query(statement("revenue/revenue", first_orders="revenue/first_orders"), within.parameters)


def revenue_over_time(raw: RawEvents, within: Range, grain: TimeGrain = "day") -> pl.DataFrame:
    """Per hour or day in UTC (`period`, its start) and `currency`, where there are orders: `orders`, `revenue`.

    As in `revenue`. Order: period, currency. Raises AnalysisError also for another grain.
    """
    check_choice("grain", grain, get_args(TimeGrain))
    _check_orders(raw)
    text = statement("revenue/over_time", first_orders="revenue/first_orders")
    return raw.query(text, {**within.parameters, "grain": grain})


def _check_orders(raw: RawEvents) -> None:
    if not raw.has_orders:
        raise AnalysisError("revenue is read from the raw column `order`: read the events with it")
