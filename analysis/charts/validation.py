"""Charts of a validation: how many objects became rows, and how much each check found."""

import altair as alt
import polars as pl

from analysis.charts.theme import BLUE, GREY, LIGHT, ORANGE, RED, WIDTH, bar_height

__all__ = ["findings", "objects"]

FATES = {"rows": BLUE, "duplicates": GREY, "rejects": ORANGE, "missing": RED, "not_yet_judged": LIGHT}
SEVERITIES = {"error": RED, "warning": ORANGE, "info": GREY}


def objects(hours: pl.DataFrame) -> alt.Chart:
    """Draw how many objects of each day became rows, duplicates or rejects, of the `hours` of a `ValidationReport`."""
    days = hours.group_by(day=pl.col("hour").dt.truncate("1d")).agg(pl.sum(*FATES)).sort("day")
    long = days.unpivot(list(FATES), index="day", variable_name="fate", value_name="objects")
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("utcyearmonthdate(day):T", title="day of receipt (UTC)", scale=alt.Scale(type="utc")),
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
