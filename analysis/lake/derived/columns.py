"""Names and types of the derived columns, and how a frame gets them."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import polars as pl

from analysis.lake.derived.addresses import PageAddress, host_of, page_address
from analysis.lake.derived.channels import acquisition_channel
from analysis.lake.derived.countries import country_of
from analysis.lake.derived.user_agents import UserAgent, read_user_agent
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

Derive = Callable[..., Sequence[Any]]

# Which columns follow from which, and the function that gives their values. `is_bot` judges its column itself.
STEPS: tuple[tuple[Sequence[str], Sequence[str], Derive], ...] = (
    (PageAddress._fields, ("page_url",), page_address),
    (("referrer_host",), ("referrer",), lambda referrer: (host_of(referrer),)),
    (UserAgent._fields, ("user_agent",), read_user_agent),
    (("country",), ("time_zone",), lambda time_zone: (country_of(time_zone),)),
    (
        ("acquisition_channel",),
        ("page_host", "referrer_host", "utm_source", "utm_medium", "utm_campaign", "click_id_name"),
        lambda *values: (acquisition_channel(*values),),
    ),
)


def with_derived(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the columns DERIVED, in that order, after the columns of a frame; the rows keep their order.

    Each distinct value is read once. Nothing that a browser can send makes it fail, or take longer than in proportion.

    Args:
        frame: Has the columns SOURCES, of type String.
    """
    found = frame
    for names, sources, derive in STEPS:
        found = _with(found, names, sources, derive)
    return found.with_columns(is_bot(frame["user_agent"]).alias("is_bot")).select(*frame.columns, *DERIVED)


def _with(frame: pl.DataFrame, names: Sequence[str], sources: Sequence[str], derive: Derive) -> pl.DataFrame:
    """Add columns that follow from others: from each combination of their values once."""
    distinct = frame.select(sources).unique()
    columns = zip(*(derive(*values) for values in distinct.iter_rows()), strict=True)
    values = dict(zip(names, columns, strict=True)) if distinct.height else dict.fromkeys(names, ())
    found = distinct.with_columns(pl.Series(name, values[name], DERIVED[name]) for name in names)
    return frame.join(found, on=sources, how="left", nulls_equal=True, maintain_order="left")
