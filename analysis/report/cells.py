"""Texts of table cells, for people to read, by the name and type of a column."""

from datetime import date, datetime
from decimal import Decimal

import polars as pl

from analysis.metrics.zone import local_text

__all__ = ["headings", "is_number", "rows"]

SHARES = {
    "abandonment",
    "add_rate",
    "bounce_rate",
    "checkout_abandonment",
    "checkout_rate",
    "conversion",
    "engagement_rate",
    "from_first",
    "from_previous",
    "session_cart_abandonment",
    "session_conversion",
    "share",
    "visitor_conversion",
}
PRICES = {"price", "discount_price"}
DURATIONS = {"average_duration", "duration", "median_duration", "median_time", "p90_time"}
NOTHING = "-"


def headings(frame: pl.DataFrame) -> list[str]:
    """Give the names of the columns in words."""
    return [name.replace("_", " ") for name in frame.columns]


def is_number(frame: pl.DataFrame) -> list[bool]:
    """Say of each column whether it holds numbers, which are set flush right."""
    return [dtype.is_numeric() for dtype in frame.dtypes]


def rows(frame: pl.DataFrame, zone: str = "UTC") -> list[list[str]]:
    """Give the texts of each row.

    Shares are in percent, durations in minutes and seconds, times as clocks of the zone show them; null is `-`.
    """
    return [[_text(name, value, zone) for name, value in row.items()] for row in frame.iter_rows(named=True)]


def _text(column: str, value: object, zone: str) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return _number(column, value)
    if isinstance(value, datetime):
        return local_text(value, zone, "%Y-%m-%d %H:%M:%S")
    if isinstance(value, Decimal):
        # The decimals of prices are chosen; those of sums are as many as there may be.
        return f"{value if column in PRICES else value.normalize():,f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else _plain(value)


def _number(column: str, value: float) -> str:
    if column in SHARES:
        return f"{100 * value:.1f} %"
    if column in DURATIONS:
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes:,} min {seconds:02} s" if minutes else f"{seconds} s"
    return f"{value:,.2f}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)
