"""Decimals of prices: how many are kept, and the amounts that stored prices stand for."""

import os
from decimal import Decimal

import polars as pl

from analysis.errors import AnalysisError
from chalicelib.errors import SettingsError
from chalicelib.settings import MOST_PRICE_DECIMALS, price_decimals

__all__ = ["amounts", "checked_decimals", "other_decimals"]


def checked_decimals(named: int | None) -> int:
    """Give `named`, or `PRICE_DECIMALS` of the environment if it is None. Raises AnalysisError if it is not 0 to 6."""
    if named is None:
        try:
            return price_decimals()
        except SettingsError as error:
            raise AnalysisError(str(error)) from None
    if not 0 <= named <= MOST_PRICE_DECIMALS:
        raise AnalysisError(f"price_decimals must be a whole number from 0 to {MOST_PRICE_DECIMALS}, not {named}")
    return named


def other_decimals(recorded: int) -> int | None:
    """Give the environment's `PRICE_DECIMALS` if it is set, and is not what a warehouse has recorded; else None."""
    if not os.environ.get("PRICE_DECIMALS"):
        return None
    here = checked_decimals(None)
    return None if here == recorded else here


def amounts(frame: pl.DataFrame, decimals: int, *names: str) -> pl.DataFrame:
    """Turn stored prices into amounts: 1299 with 2 decimals into 12.99.

    Args:
        frame: A frame with Int64 columns of prices.
        decimals: How many decimals the prices keep.
        names: The names of these columns.

    Returns:
        The frame, with Decimal(38, decimals) in these columns; they stay Int64 without decimals.
    """
    if not decimals:
        return frame
    unit = pl.lit(Decimal(1).scaleb(-decimals))
    return frame.with_columns((pl.col(names).cast(pl.Decimal(38, 0)) * unit).cast(pl.Decimal(38, decimals)))
