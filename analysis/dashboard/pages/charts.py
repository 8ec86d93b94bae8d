"""The charts that several pages draw. Their look is the page's, so they have neither colours nor sizes of their own."""

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl

from analysis.dashboard.pages.compared import PREVIOUS, present
from analysis.dashboard.panel import Chart, Query

__all__ = ["bars", "over_time"]

MOST_LABELS = 8
MARKED = "marked"
ROW = 24  # pixels of a bar


def over_time(frame: pl.DataFrame, query: Query, name: str, grain: str, currency: str | None = None) -> Chart:
    """Draw one value over time, and the range that it is compared with as a thin line behind.

    A period that is not complete has a hollow point, and the line to it is dashed: it is no fall.

    Args:
        frame: As `Shown.over_time` gives it.
        query: What gave it.
        name: The name of the value.
        grain: How long a period is.
        currency: The currency of an amount of money.
    """
    table = frame.rename({"value": name})
    # Vega draws numbers: the exact decimals stay in the table.
    drawn = frame.with_columns(pl.col("value", "previous").cast(pl.Float64), **{MARKED: _marked()})
    base = alt.Chart(drawn).encode(x=alt.X("period:T", title=None, scale=alt.Scale(type="utc")))
    y = alt.Y("value:Q", title=None)
    is_compared = frame["previous"].null_count() < frame.height
    layers = [
        *([base.mark_line(style="previous").encode(y=alt.Y("previous:Q", title=None))] if is_compared else []),
        base.mark_line(style="incomplete").encode(y=y),
        base.mark_line(style="complete").encode(y=alt.Y(f"{MARKED}:Q", title=None)),
        base.mark_point(style="period").encode(
            y=y, fillOpacity=alt.condition("datum.is_complete", alt.value(1), alt.value(0))
        ),
    ]
    chart = alt.layer(*layers).properties(width="container", height=220)
    times = frame["period"].to_list()[:: -(-frame.height // MOST_LABELS) or 1]
    fields = ("period", "value", *(("previous",) if is_compared else ()), "is_complete")
    shown = table if is_compared else table.drop("previous")
    return Chart(chart, shown.drop("period_end"), query, fields, name, times, grain, currency=currency)


def bars(
    frame: pl.DataFrame,
    query: Query,
    by: str,
    value: str,
    tooltip: Sequence[str],
    filters: Mapping[str, str] | None = None,
    sets: Mapping[str, tuple[str, str]] | None = None,
) -> Chart:
    """Draw one bar per row, in the order of the rows, and the range that it is compared with as a tick.

    Args:
        frame: As `compared` gives it.
        query: What gave it.
        by: The column with the names of the bars.
        value: The column with their lengths.
        tooltip: The columns that a tooltip shows.
        filters: As in `Chart`.
        sets: As in `Chart`.
    """
    shown = present(frame, *tooltip)
    names = list(dict.fromkeys((by, value, *shown, *(key for _, key in (sets or {}).values()))))
    # Vega draws numbers: the exact decimals stay in the table.
    base = alt.Chart(frame.select(names).with_columns(pl.col(pl.Decimal).cast(pl.Float64)))
    base = base.encode(y=alt.Y(f"{by}:N", title=None, sort=None))
    layers = [base.mark_bar(style="part").encode(x=alt.X(f"{value}:Q", title=None))]
    if PREVIOUS in shown:
        layers.append(base.mark_tick(style="before").encode(x=alt.X(f"{PREVIOUS}:Q", title=None)))
    chart = alt.layer(*layers).properties(width="container", height=ROW * max(frame.height, 1))
    return Chart(chart, frame, query, shown, value, filters=filters or {}, sets=sets or {})


def _marked() -> pl.Expr:
    """The values of complete periods: the line between two of them is solid."""
    return pl.when(pl.col("is_complete")).then(pl.col("value").cast(pl.Float64))
