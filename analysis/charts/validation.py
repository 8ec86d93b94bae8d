"""Charts of a validation: how many objects became rows, and how much each check found."""

import altair as alt
import polars as pl

from analysis.charts.theme import BLUE, GREY, LIGHT, ORANGE, RED, WIDTH, bar_height
from analysis.charts.time_axis import period_bars
from analysis.metrics.zone import day_start, default_zone, zone_of

__all__ = ["findings", "objects"]

FATES = {"rows": BLUE, "duplicates": GREY, "rejects": ORANGE, "missing": RED, "not_yet_judged": LIGHT}
SEVERITIES = {"error": RED, "warning": ORANGE, "info": GREY}


def objects(hours: pl.DataFrame, zone: str | None = None) -> alt.Chart:
    """Draw how many objects of each day became rows, duplicates or rejects.

    Args:
        hours: The `hours` of a `ValidationReport`. These are hours in UTC: where a zone's day begins in the middle of
            one, its objects count in the day in which the hour begins.
        zone: The zone whose days are drawn. By default `CLICKSTREAM_ZONE`, else UTC.
    """
    name = zone or default_zone()
    there = zone_of(name)
    known = hours.filter(pl.col("hour").is_not_null())
    starts = [day_start(hour.astimezone(there).date(), there) for hour in known["hour"]]
    placed = known.with_columns(pl.Series("day", starts, pl.Datetime("us", "UTC")))
    days = placed.group_by("day").agg(pl.sum(*FATES)).sort("day")
    fates = days.unpivot(list(FATES), index="day", variable_name="fate", value_name="objects")
    long, spans = period_bars(fates, "day", "day", name, "day of receipt")
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            **spans,
            y=alt.Y("objects:Q", title="objects per day"),
            color=alt.Color("fate:N", title="became", scale=_scale(FATES), sort=list(FATES)),
        )
        .properties(title="What each day's objects became", width=WIDTH, height=200)
    )


def findings(checks: pl.DataFrame) -> alt.Chart:
    """Draw how much each check found, of `as_frame()` of a `ValidationReport`; checks without findings are left out."""
    found = checks.filter(pl.col("findings") > 0)
    return (
        alt.Chart(found)
        .mark_bar()
        .encode(
            x=alt.X("findings:Q", title="findings"),
            y=alt.Y("check:N", title="check", sort=None),
            color=alt.Color("severity:N", title="severity", scale=_scale(SEVERITIES)),
        )
        .properties(title="What the checks found", width=WIDTH, height=bar_height(found.height))
    )


def _scale(colours: dict[str, str]) -> alt.Scale:
    return alt.Scale(domain=list(colours), range=list(colours.values()))
