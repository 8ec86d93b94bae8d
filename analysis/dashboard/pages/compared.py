"""Adds to the rows of a metric what they were in the range that a view is compared with."""

from collections.abc import Sequence

import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.panel import Query

__all__ = ["CHANGE", "PREVIOUS", "beside", "compared", "present"]

PREVIOUS, CHANGE = "previous", "change"


def compared(shown: Shown, query: Query, keys: Sequence[str], value: str) -> pl.DataFrame:
    """Compute a query, and compare one value of each row.

    The rows of the other range are looked for among all of it, so a `limit` of the query does not hide them.

    Args:
        shown: The events.
        query: A metric with one row for each value of the keys.
        keys: The columns that say which row is the same in both ranges.
        value: The column with the value.

    Returns:
        The metric's frame. With a comparison, two columns follow the value. `previous` is the value in the other range;
        of a row that is not in it, a count is 0 and a share null. `change` is (value - previous) ÷ previous, null if
        previous is 0 or null.

    Raises:
        AnalysisError: The metric raises it.
    """
    frame = shown.frame(query)
    every = Query(query.metric, {name: given for name, given in query.arguments.items() if name != "limit"})
    return beside(frame, shown.frame_before(every), keys, value)


def beside(frame: pl.DataFrame, other: pl.DataFrame | None, keys: Sequence[str], value: str) -> pl.DataFrame:
    """Compare one value of each row with another frame, as `compared` does; None leaves the frame as it is."""
    if other is None:
        return frame
    before = other.select(*keys, pl.col(value).alias(PREVIOUS), pl.lit(value=True).alias("was_there"))
    joined = frame.join(before, on=keys, how="left", nulls_equal=True, maintain_order="left")
    absent = None if frame.schema[value].is_float() else 0
    was_there = pl.col("was_there").is_not_null()
    previous = pl.when(was_there).then(PREVIOUS).otherwise(absent).cast(frame.schema[value]).alias(PREVIOUS)
    now, then = pl.col(value).cast(pl.Float64), pl.col(PREVIOUS).cast(pl.Float64)
    change = pl.when(then != 0).then(now / then - 1).alias(CHANGE)
    at = frame.columns.index(value) + 1
    order = [*frame.columns[:at], PREVIOUS, CHANGE, *frame.columns[at:]]
    return joined.with_columns(previous).with_columns(change).select(order)


def present(frame: pl.DataFrame, *columns: str) -> list[str]:
    """Give those of some columns that a frame has: without a comparison, it has neither `previous` nor `change`."""
    return [name for name in columns if name in frame.columns]
