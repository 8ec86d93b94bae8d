"""The page Quality: whether the events are complete and right, and what to do where they are not."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import altair as alt
import polars as pl

from analysis.checks.ledger import COUNTS, account
from analysis.checks.validation.report import ValidationReport
from analysis.checks.validation.run import validate
from analysis.dashboard.events import Shown
from analysis.dashboard.pages.page import Page
from analysis.dashboard.panel import Chart, Figure, Panel, Table
from analysis.errors import AnalysisError
from analysis.metrics.zone import next_period, period_start, zone_of

__all__ = ["QUALITY"]

OUTCOMES = ("rows", "duplicates", "rejects", "missing", "not_yet_judged")
MOST_LABELS = 8
TIME = pl.Datetime("us", "UTC")


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: the summary, the days, what was found, the hours, and the ledger."""
    figures = ("passed", "findings", "missing", "lost")
    return [
        *(Panel(name, "figure", partial(_figure, shown, name), in_report=name != "lost") for name in figures),
        Panel("days", "table", partial(_days, shown)),
        Panel("ledger", "table", partial(_ledger, shown), in_report=False),
        Panel("hours", "chart", partial(_hours, shown)),
        Panel("checks", "table", partial(_checks, shown), is_wide=True),
    ]


def _report(shown: Shown) -> ValidationReport:
    """Validate the range, once for all panels, filters and tabs. Raises AnalysisError."""
    place, within = shown.place, shown.within
    if place.source is None:
        raise AnalysisError("validation reads raw: name it with --source")
    source = place.source
    return place.checked(
        "validate",
        within,
        lambda: validate(source, place.dw_url, within.start, within.end, within.zone, lake=place.lake),
    )


def _accounts(shown: Shown) -> pl.DataFrame:
    place, within = shown.place, shown.within
    if place.source is None:
        raise AnalysisError("the ledger reads raw: name it with --source")
    source = place.source
    return place.checked("ledger", within, lambda: account(source, within.start, within.end))


def _figure(shown: Shown, name: str) -> Figure:
    if name == "lost":
        return Figure(name, _accounts(shown).select(pl.col("lost").sum()))
    report = _report(shown)
    checks = report.as_frame()
    found = {
        "passed": sum(check.is_passed for check in report.checks),
        "findings": int(checks.filter(pl.col("severity") != "info")["findings"].sum()),
        "missing": int(report.hours["missing"].sum()) if report.has_warehouse else None,
    }
    return Figure(name, pl.DataFrame({name: [found[name]]}, {name: pl.Int64}), python=_python(shown, "as_frame()"))


def _days(shown: Shown) -> Table:
    """Say of each day of the zone what became of its objects, and whether it is complete."""
    hours, zone = _report(shown).hours.drop_nulls("hour"), zone_of(shown.within.zone)
    per_hour = hours.with_columns(
        day=pl.Series([period_start(hour, "day", zone) for hour in hours["hour"]], dtype=TIME)
    )
    by_day = per_hour.group_by("day").agg(pl.col("objects", *OUTCOMES).sum())
    days = shown.periods("day").rename({"period": "day"})
    complete = pl.col("is_complete") & (pl.col("missing") == 0) & (pl.col("not_yet_judged") == 0)
    frame = (
        days.join(by_day, on="day", how="left", maintain_order="left")
        .with_columns(pl.col("objects", *OUTCOMES).fill_null(0))
        .with_columns(is_complete=complete)
        .select("day", "is_complete", "objects", *OUTCOMES)
        .reverse()
    )
    return Table(frame, kinds={"day": "day"}, python=_python(shown, "hours"))


def _checks(shown: Shown) -> Table:
    """List the checks with findings, errors first."""
    found = _report(shown).as_frame().filter(pl.col("findings") > 0)
    order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "info": 2}, return_dtype=pl.Int64)
    columns = ("severity", "check", "findings", "observed", "advice")
    return Table(found.sort(order, "check"), columns=columns, python=_python(shown, "as_frame()"))


def _hours(shown: Shown) -> Chart:
    """Draw what became of the objects of each hour."""
    # An object may be in no hour: then it is a finding, and no bar.
    hours, zone = _report(shown).hours.drop_nulls("hour"), zone_of(shown.within.zone)
    ends = [next_period(hour, "hour", zone) for hour in hours["hour"]]
    drawn = hours.drop("objects").with_columns(ends=pl.Series(ends, dtype=TIME))
    long = drawn.unpivot(OUTCOMES, index=["hour", "ends"], variable_name="outcome", value_name="objects")
    chart = (
        alt.Chart(long.filter(pl.col("objects") > 0))
        .mark_bar()
        .encode(
            x=alt.X("hour:T", title=None, scale=alt.Scale(type="utc"), bin="binned"),
            x2="ends:T",
            y=alt.Y("objects:Q", title=None),
            color=alt.Color("outcome:N", title=None, scale=alt.Scale(domain=list(OUTCOMES))),
        )
        .properties(width="container", height=200)
    )
    return Chart(
        chart,
        hours,
        tooltip=("hour", "outcome", "objects"),
        times=_labelled(hours["hour"].to_list()),
        grain="hour",
        python=_python(shown, "hours"),
    )


def _labelled(hours: list[datetime]) -> list[datetime]:
    return hours[:: -(-len(hours) // MOST_LABELS) or 1]


def _ledger(shown: Shown) -> Table:
    """Account for the events of each day that browsers numbered."""
    accounts, zone = _accounts(shown).drop_nulls("hour"), zone_of(shown.within.zone)
    days = pl.Series([period_start(hour, "day", zone) for hour in accounts["hour"]], dtype=TIME)
    frame = accounts.with_columns(day=days).group_by("day").agg(pl.col(*COUNTS).sum()).sort("day", descending=True)
    return Table(frame, kinds={"day": "day"})


def _python(shown: Shown, result: str) -> str:
    """Write the validation as Python for a notebook."""
    within = shown.within
    times = ", ".join(f"moment({each.isoformat()!r})" for each in (within.start, within.end))
    warehouse = "None" if shown.place.dw_url is None else 'os.environ["DW_URL"]'
    imports = "import os\n\n" if shown.place.dw_url is not None else ""
    return (
        f"{imports}from analysis import moment, validate\n\n"
        f"report = validate({str(shown.place.source)!r}, {warehouse}, {times}, {within.zone!r})\n"
        f"frame = report.{result}\nframe\n"
    )


QUALITY = Page("quality", panels, is_filtered=False)
