"""Charts of the funnel: how many visitors get from step to step."""

import altair as alt
import polars as pl

from analysis.charts.theme import BLUE, WIDTH, bar_height

__all__ = ["funnel", "funnel_by_group"]

MOST_GROUPS = 8


def funnel(frame: pl.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Draw the visitors at each step, and their share of the first step's.

    Args:
        frame: A frame of the metric `funnel` without `by`.
    """
    share = pl.when(pl.col("from_first").is_null()).then(pl.lit("")).otherwise(_percent("from_first"))
    label = pl.format("{}  {}", "visitors", share).str.strip_chars_end()
    labelled = frame.with_columns(_step(), label=label)
    bars = alt.Chart(labelled).encode(
        x=alt.X("visitors:Q", title="visitors"), y=alt.Y("step:N", title="step", sort=None)
    )
    chart = alt.layer(bars.mark_bar(color=BLUE), bars.mark_text(align="left", dx=4).encode(text="label:N"))
    return chart.properties(title="Visitors at each step", width=WIDTH, height=2 * bar_height(frame.height))


def funnel_by_group(frame: pl.DataFrame, by: str) -> alt.Chart:
    """The share of the first step at each step, for the largest groups: a frame of `funnel(by=…)`."""
    largest = frame.filter(pl.col("step") == 1).top_k(MOST_GROUPS, by="visitors")["group"]
    groups = frame.filter(pl.col("group").is_in(largest.implode())).with_columns(_step())
    return (
        alt.Chart(groups)
        .mark_bar()
        .encode(
            x=alt.X("step:N", title="step", sort=None, axis=alt.Axis(labelAngle=0)),
            xOffset="group:N",
            y=alt.Y("from_first:Q", title="share of the first step's visitors", axis=alt.Axis(format="%")),
            color=alt.Color("group:N", title=by.replace("_", " ")),
        )
        .properties(title=f"Funnel by {by.replace('_', ' ')}", width=WIDTH, height=260)
    )


def _step() -> pl.Expr:
    """Name a step by its event; with steps in any order, a step has no event of its own."""
    return pl.format("{}. {}", "step", pl.col("event_name").fill_null("of the steps, any"))


def _percent(column: str) -> pl.Expr:
    return pl.format("({} %)", (pl.col(column) * 100).round(0).cast(pl.Int64))
