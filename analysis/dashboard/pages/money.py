"""The orders of one currency, which several pages show: the one that the page's option names, or else the usual one."""

import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.panel import Query
from analysis.metrics.revenue import revenue

__all__ = ["currency_of", "of_currency"]


def currency_of(shown: Shown) -> str:
    """Give the currency that the page's option names, else the one with the most orders; empty without orders."""
    found = shown.frame(Query(revenue)).sort("orders", "currency", descending=[True, False])["currency"]
    return shown.view.option("currency", found[0] if found.len() else "")


def of_currency(frame: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Give the row of a currency; without orders in it, there are 0, and they have earned nothing."""
    row = frame.filter(pl.col("currency") == currency)
    none = pl.DataFrame({"currency": [currency], "orders": [0], "revenue": [0]})
    return row if row.height else pl.concat([row, none.cast({"revenue": frame.schema["revenue"]})], how="diagonal")
