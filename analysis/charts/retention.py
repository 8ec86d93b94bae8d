"""Chart of retention: which visitors come back."""

import altair as alt
import polars as pl

from analysis.charts.theme import WIDTH, bar_height
from analysis.metrics.zone import default_zone

__all__ = ["retention"]

BEGINNINGS = {"range": "first event in the range", "first_visit": "first visit"}


def retention(
    frame: pl.DataFrame, grain: str, cohort: str = "range", zone: str | None = None
) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of each cohort that is back after so many days or weeks.

    All of a cohort are active in period 0, so this period is not drawn: its size is in the cohort's label.

    Args:
        frame: A frame of the metric `retention`.
        grain: The grain that the metric was given, `day` or `week`.
        cohort: The cohort that the metric was given, `range` or `first_visit`.
        zone: The zone of the metric's range. By default `CLICKSTREAM_ZONE`, else UTC.
    """
    beginning = BEGINNINGS[cohort]
    label = pl.format("{} ({})", pl.col("cohort").dt.to_string("%Y-%m-%d"), "visitors")
    cohorts = frame.sort("cohort").with_columns(label=label)
    order = cohorts["label"].unique(maintain_order=True).to_list()
    cells = alt.Chart(cohorts.filter(pl.col("period") > 0)).encode(
        x=alt.X("period:O", title=f"{grain}s after the {beginning}", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(
            "label:N",
            title=f"{grain} of the {beginning}, {zone or default_zone()} (visitors)",
            sort=order,
            scale=alt.Scale(domain=order),
        ),
    )
    heat = cells.mark_rect().encode(
        color=alt.Color("share:Q", title="share", scale=alt.Scale(scheme="blues"), legend=alt.Legend(format="%"))
    )
    shares = cells.mark_text(fontSize=9).encode(text=alt.Text("share:Q", format=".0%"))
    title = f"Visitors who are back, by {grain} of their {beginning}"
    return alt.layer(heat, shares).properties(title=title, width=WIDTH, height=bar_height(len(order)))
