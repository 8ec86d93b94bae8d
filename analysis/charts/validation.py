"""Charts of a validation: what became of each hour's objects, and what was found."""

import altair as alt
import polars as pl

from analysis.charts.theme import BLUE, GREY, ORANGE, RED, WIDTH, bar_height

__all__ = ["findings", "objects"]

FATES = {"rows": BLUE, "duplicates": GREY, "rejects": ORANGE, "missing": RED}
SEVERITIES = {"error": RED, "warning": ORANGE, "info": GREY}


def objects(hours: pl.DataFrame) -> alt.Chart:
    """What became of the objects of each day: the `hours` of a validation's report."""
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
        .properties(title="What became of each day's objects", width=WIDTH, height=200)
    )


def findings(checks: pl.DataFrame) -> alt.Chart:
    """How much each check found, where it found something: `as_frame()` of a validation's report."""
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
