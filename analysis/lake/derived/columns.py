"""Names and types of the derived columns, and how a frame gets them."""

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from analysis.rows.bots import is_bot

__all__ = ["DERIVED", "SOURCES", "with_derived"]

# The columns from which the others are derived.
SOURCES = ("page_url", "referrer", "user_agent", "time_zone")

DERIVED: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "page_host": pl.String(),
        "page_path": pl.String(),
        "referrer_host": pl.String(),
        "search_term": pl.String(),
        "utm_source": pl.String(),
        "utm_medium": pl.String(),
        "utm_campaign": pl.String(),
        "utm_term": pl.String(),
        "utm_content": pl.String(),
        "click_id_name": pl.String(),
        "click_id": pl.String(),
        "acquisition_channel": pl.String(),
        "device": pl.String(),
        "browser": pl.String(),
        "browser_version": pl.String(),
        "system": pl.String(),
        "is_bot": pl.Boolean(),
        "country": pl.String(),
    }
)


def with_derived(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the columns DERIVED, in that order, after the columns of a frame; the rows keep their order.

    Args:
        frame: Has the columns SOURCES, of type String.
    """
    nothing = [pl.lit(None, kind).alias(name) for name, kind in DERIVED.items() if name != "is_bot"]
    return frame.with_columns(*nothing, is_bot(frame["user_agent"]).alias("is_bot")).select(*frame.columns, *DERIVED)
