"""The page Retention: how many visitors come back, by the day, week or month of their first visit."""

from collections.abc import Sequence
from functools import partial
from typing import get_args

import altair as alt
import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.pages.page import Page
from analysis.dashboard.panel import Chart, Figure, Panel, Query
from analysis.dashboard.periods import Grain, grain_of
from analysis.metrics.retention import Cohort, CohortGrain, retention
from analysis.metrics.zone import zone_of
from analysis.rows.selection import DAY

__all__ = ["RETENTION", "grid"]

COHORTS: tuple[Cohort, ...] = ("first_visit", "range")
GRAINS = ("auto", *get_args(CohortGrain))
# With `auto`, a range of more days has weeks, and one of still more has months.
MOST_DAYS, MOST_DAYS_OF_WEEKS = 31, 200
# What the heatmap draws at most; its table has all.
MOST_COHORTS, MOST_LATER, MOST_CELLS = 200, 31, 4900
CELL, ROW = 30, 20  # pixels: a narrower cell has no room for its number, so a small screen has fewer cells


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: the visitors, who came back in the next period, all cohorts together, and each cohort."""
    return [
        Panel("visitors", "figure", partial(_figure, shown, "visitors")),
        Panel("returned", "figure", partial(_figure, shown, "share")),
        Panel("together", "chart", partial(_together, shown)),
        Panel("cohorts", "chart", partial(_cohorts, shown)),
    ]


def grid(shown: Shown, grain: Grain) -> pl.DataFrame:
    """Give each cohort in each period that has begun, whether or not anybody was active.

    Returns:
        One row per cohort and period: `cohort`, `later` (0…: so many periods after the cohort's own), `visitors`,
        `active`, `share` as the metric has them, and `is_complete`: whether the range holds all of the cohort's own
        period and all of this one, and all of their events are there. Order: cohort, later.
    """
    zone = zone_of(shown.within.zone)
    found = shown.frame(_query(shown, grain)).rename({"period": "later"})
    begun = shown.periods(grain).filter(pl.col("period") <= shown.now)
    days = pl.Series([start.astimezone(zone).date() for start in begun["period"]], dtype=pl.Date())
    numbered = begun.select(cohort=days, number=pl.int_range(pl.len(), dtype=pl.Int64()), whole="is_complete")
    own = found.select("cohort", "visitors").unique().join(numbered, on="cohort")
    every = own.join(numbered.drop("cohort"), how="cross", suffix="_later").select(
        "cohort",
        "visitors",
        later=pl.col("number_later") - pl.col("number"),
        is_complete=pl.col("whole") & pl.col("whole_later"),
    )
    active = found.select("cohort", "later", "active")
    return (
        every.filter(pl.col("later") >= 0)
        .join(active, on=["cohort", "later"], how="left")
        .with_columns(pl.col("active").fill_null(0))
        .select("cohort", "later", "visitors", "active", share=_share(), is_complete="is_complete")
        .sort("cohort", "later")
    )


def _share() -> pl.Expr:
    return pl.col("active") / pl.col("visitors")


def _grain(shown: Shown) -> Grain:
    wanted, days = shown.view.option("grain", GRAINS[0]), (shown.within.end - shown.within.start) / DAY
    if wanted == "auto":
        return "day" if days <= MOST_DAYS else "week" if days <= MOST_DAYS_OF_WEEKS else "month"
    return grain_of(shown.within, wanted)


def _query(shown: Shown, grain: Grain) -> Query:
    return Query(retention, {"grain": grain, "cohort": shown.view.option("cohort", COHORTS[0])})


def _grid(shown: Shown, grain: Grain) -> pl.DataFrame:
    return shown.once("grid", lambda: grid(shown, grain))


def _summed(shown: Shown, grain: Grain) -> pl.DataFrame:
    """Give all cohorts together in each later period; each counts in those of its periods that are complete."""
    complete = _grid(shown, grain).filter((pl.col("later") > 0) & pl.col("is_complete"))
    cohorts = pl.len().cast(pl.Int64()).alias("cohorts")
    sums = complete.group_by("later").agg(cohorts, pl.col("visitors", "active").sum())
    return sums.with_columns(share=_share()).sort("later")


def _figure(shown: Shown, name: str) -> Figure:
    grain = _grain(shown)

    def of(events: Shown) -> pl.DataFrame:
        if name == "share":
            return _summed(events, grain).filter(pl.col("later") == 1)
        return events.frame(_query(shown, grain)).filter(pl.col("period") == 0).select(pl.col("visitors").sum())

    return Figure(name, of(shown), _query(shown, grain), None if shown.before is None else of(shown.before))


def _together(shown: Shown) -> Chart:
    """Draw which share of the visitors is active so many periods later, and that of the compared range behind."""
    grain = _grain(shown)
    frame, other = _summed(shown, grain), None if shown.before is None else _summed(shown.before, grain)
    if other is not None:
        frame = frame.join(other.select("later", previous="share"), on="later", how="left", maintain_order="left")
    # What only the first cohorts have reached says little of the others.
    drawn = frame.filter(pl.col("cohorts") * 2 >= pl.col("cohorts").max())
    axis = alt.Axis(labelAngle=0, labelOverlap=True)
    base = alt.Chart(drawn).encode(x=alt.X("later:O", title=f"later_{grain}", axis=axis))
    y = alt.Y("share:Q", title=None)
    layers = [
        *([] if other is None else [base.mark_line(style="previous").encode(y=alt.Y("previous:Q", title=None))]),
        base.mark_line(style="complete").encode(y=y),
        base.mark_point(style="period").encode(y=y),
    ]
    chart = alt.layer(*layers).properties(width="container", height=180)
    tooltip = ("later", "share", *(() if other is None else ("previous",)), "active", "visitors", "cohorts")
    return Chart(chart, frame, _query(shown, grain), tooltip, "share", grain=grain)


def _cohorts(shown: Shown) -> Chart:
    """Draw the share of each cohort that is back in each later period; a cell that is not complete is hollow.

    The number of a cohort's visitors stands in its own period, in which all of them are active.
    """
    grain = _grain(shown)
    frame = _grid(shown, grain)
    shown_cohorts = frame["cohort"].unique().sort().tail(MOST_COHORTS).to_list()
    most = min(MOST_LATER, MOST_CELLS // max(len(shown_cohorts), 1) - 1)
    drawn = frame.filter((pl.col("later") <= most) & pl.col("cohort").is_in(shown_cohorts))
    cells = alt.Chart(drawn.with_columns(pl.col("cohort").cast(pl.String()))).encode(
        x=alt.X("later:O", title=f"later_{grain}", axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("cohort:O", title=None),
    )
    cells = cells.transform_filter(f"datum.later < max(width / {CELL}, 2)")
    label = "datum.later > 0 ? format(datum.share, '.0%') : format(datum.visitors, '.3~s')"
    complete, open_ = ("datum.later > 0 && datum.is_complete", "datum.later > 0 && !datum.is_complete")
    share = alt.Color("share:Q", title=None, legend=None, scale=alt.Scale(domainMin=0))
    # A screen reader reads the numbers, so it needs no rectangles.
    layers = [
        cells.transform_filter(complete).mark_rect(style="cell", aria=False).encode(color=share),
        cells.transform_filter(open_).mark_rect(style="openCell", aria=False),
        cells.transform_calculate(label=label).mark_text(style="number").encode(text="label:N"),
    ]
    chart = alt.layer(*layers).properties(width="container", height=ROW * max(len(shown_cohorts), 1))
    tooltip = ("cohort", "later", "share", "active", "visitors", "is_complete")
    return Chart(chart, frame, _query(shown, grain), tooltip, "share", grain=grain)


RETENTION = Page("retention", panels, {"grain": GRAINS, "cohort": COHORTS})
