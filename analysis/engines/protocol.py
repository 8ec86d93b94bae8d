"""What every engine does: it runs SQL over events.

Each has the table `public.clickstream_events` with the contract's columns, takes parameters as `$name`, and works in
UTC, so that one SQL file gives the same result from all. SQL types become these types of a frame: BIGINT Int64, DOUBLE
PRECISION Float64, TIMESTAMPTZ Datetime("us", "UTC"), DATE Date, UUID and TEXT String.
"""

import re
from collections.abc import Mapping
from typing import Protocol

import polars as pl

__all__ = ["PARAMETER", "Engine"]

PARAMETER = re.compile(r"\$([a-z_]+)")


class Engine(Protocol):
    """Runs SQL queries over `public.clickstream_events`."""

    @property
    def has_orders(self) -> bool:
        """Whether queries may also use the tables `orders` and `order_items`, which revenue needs."""
        ...

    @property
    def has_derived(self) -> bool:
        """Whether `public.clickstream_events` also has the derived columns of docs/derived.md."""
        ...

    @property
    def price_decimals(self) -> int:
        """How many decimals its prices keep: 12.99 is 1299 with 2. Errors are those of `query`."""
        ...

    def query(self, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
        """Run one query.

        Args:
            sql: The query, with parameters written as `$name`.
            parameters: The value of each parameter by its name. Others are ignored.

        Returns:
            The rows, in the query's order.

        Raises:
            NoTable: The warehouse has no table, because no event has been projected yet. This is an AnalysisError.
            AnalysisError: The events cannot be read.
        """
        ...
