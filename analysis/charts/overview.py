"""Charts of the overview: how much happened, when, and with which products."""

import altair as alt
import polars as pl

from analysis.charts.theme import BLUE, PERCENT, WIDTH, bar_height, legend
from analysis.charts.time_axis import time_axis
from analysis.metrics.zone import default_zone

__all__ = ["conversion", "events_over_time", "ranking", "top_events"]

RATES = {
    "visitor_conversion": "visitors who buy",
    "session_conversion": "sessions with a purchase",
    "checkout_rate": "checkouts per add-to-cart click",
}


def events_over_time(frame: pl.DataFrame, grain: str = "day", zone: str | None = None) -> alt.VConcatChart:
    """Draw events, visitors and sessions per hour or day.

    Args:
        frame: A frame of the metric `events_over_time`.
        grain: The grain that the metric was given, `hour` or `day`.
        zone: The zone of the metric's range. By default `CLICKSTREAM_ZONE`, else UTC.
    """
    axis = time_axis(frame["period"], grain, zone or default_zone())
    lines = (
        alt.Chart(frame)
        .mark_line(point=True, color=BLUE)
        .encode(x=axis, y=alt.Y(f"{measure}:Q", title=f"{measure} per {grain}"))
        .properties(width=WIDTH, height=110)
        for measure in ("events", "visitors", "sessions")
    )
    return alt.vconcat(*lines, title=f"Events, visitors and sessions per {grain}")


def top_events(frame: pl.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Draw events by name, with their shares, of a frame of the metric `top_events`."""
    bars = alt.Chart(frame).encode(
        x=alt.X("events:Q", title="events"), y=alt.Y("event_name:N", title="event name", sort=None)
    )
    shares = bars.mark_text(align="left", dx=4).encode(text=alt.Text("share:Q", format=PERCENT))
    chart = alt.layer(bars.mark_bar(color=BLUE), shares)
    return chart.properties(title="Events by name, and share of all", width=WIDTH, height=bar_height(frame.height))


def conversion(frame: pl.DataFrame, by: str) -> alt.VConcatChart:
    """Draw both conversions and the checkout rate of each group, each with a scale of its own.

    Args:
        frame: A frame of the metric `by_login_state` or `visitor_types`.
        by: The column that names the group, `user_login_state` or `visitor_type`.
    """
    group = by.replace("_", " ")
    bars = (
        alt.Chart(frame)
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X(f"{rate}:Q", title=title, axis=alt.Axis(format="%")),
            # Every group, also one without a rate.
            y=alt.Y(f"{by}:N", title=group, scale=alt.Scale(domain=frame[by].to_list())),
        )
        .properties(width=WIDTH, height=bar_height(frame.height))
        for rate, title in RATES.items()
    )
    return alt.vconcat(*bars, title=f"Conversion and checkout rate by {group}")


def ranking(frame: pl.DataFrame, by: str) -> alt.Chart:
    """Draw product views and adds of each category or brand.

    Args:
        frame: A frame of the metric `top_categories` or `top_brands`.
        by: The column that names the group, `category` or `brand`.
    """
    names = {"product_views": "product views", "add_to_cart_clicks": "add-to-cart clicks"}
    long = frame.rename(names).unpivot(list(names.values()), index=by, variable_name="measure", value_name="count")
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("count:Q", title="events"),
            y=alt.Y(f"{by}:N", title=by, sort=frame[by].to_list()),
            yOffset=alt.YOffset("measure:N", sort=list(names.values())),
            color=legend(list(names.values())),
        )
        .properties(title=f"Product views and adds by {by}", width=WIDTH, height=2 * bar_height(frame.height))
    )
