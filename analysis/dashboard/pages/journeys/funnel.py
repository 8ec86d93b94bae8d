"""The page Funnel: how many visitors get from step to step, where they leave, how long it takes, and who left."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from urllib.parse import unquote

import altair as alt
import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.pages.acquisition import FILTER_OF
from analysis.dashboard.pages.compared import CHANGE, PREVIOUS, beside, compared, present
from analysis.dashboard.pages.page import LIMITS, Page, limit_of
from analysis.dashboard.pages.places import PLACE
from analysis.dashboard.pages.visitors import visitor_list
from analysis.dashboard.panel import Chart, Figure, Panel, Query, Steps, Table
from analysis.errors import AnalysisError
from analysis.metrics.funnel import CHECKOUT, DAY, GROUPS, funnel, funnel_dropped, funnel_times
from analysis.metrics.overview import top_events

__all__ = ["FUNNEL", "MOST_STEPS"]

LEAST_STEPS, MOST_STEPS = 2, 10
WINDOWS: Mapping[str, int] = MappingProxyType(
    {"1d": DAY, "30m": 1800, "1h": 3600, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY}
)
ORDERS = ("ordered", "strict", "any")
FIRST_GROUP = "device"
GROUP_FILTERS = {
    **FILTER_OF, "visitor_type": "visitor", "login_state": "login", "category": "category", "brand": "brand"
}  # fmt: skip
# Pixels of a step in the chart: its bar, and the numbers below it.
STEP, BAR, BAR_UP, NUMBERS_DOWN = 46, 18, -9, 11
WORST, OTHER = 0.8, 0.3
NUMBERS = "format(datum.visitors, ',') + ' (' + format(datum.from_first, '.1%') + ')'"
LOST = (
    "datum.dropped ? '\N{MINUS SIGN}' + format(datum.dropped, ',') + ' (' + format(datum.lost_share, '.1%') + ')' : ''"
)


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: the editor of the steps, four figures, the steps, their times, groups, and who left."""
    return [
        Panel("editor", "steps", partial(_editor, shown)),
        Panel("began", "figure", partial(_count, shown, 0)),
        Panel("finished", "figure", partial(_count, shown, -1)),
        Panel("conversion", "figure", partial(_conversion, shown)),
        Panel("median_time", "figure", partial(_median_time, shown)),
        Panel("chart", "chart", partial(_chart, shown)),
        Panel("steps", "table", partial(_steps, shown), is_wide=True),
        Panel("times", "table", partial(_times, shown), is_wide=True),
        Panel("groups", "table", partial(_groups, shown), is_wide=True),
        Panel("dropped", "table", partial(_dropped, shown), is_wide=True),
    ]


def _chosen(shown: Shown) -> tuple[str, ...]:
    """Give the event names of the steps: each may be percent-encoded, so that it may hold a comma."""
    text = shown.view.option("steps", "")
    if not text:
        return CHECKOUT
    steps = tuple(unquote(name) for name in text.split(","))
    if not LEAST_STEPS <= len(steps) <= MOST_STEPS or len(set(steps)) < len(steps) or "" in steps:
        raise AnalysisError(
            f"steps is {text!r}: write {LEAST_STEPS} to {MOST_STEPS} different event names, with a comma between two, "
            f"like {','.join(CHECKOUT)}"
        )
    return steps


def _arguments(shown: Shown) -> dict[str, object]:
    view = shown.view
    window = WINDOWS[view.option("window", next(iter(WINDOWS)))]
    return {"steps": _chosen(shown), "window": window, "order": view.option("order", ORDERS[0])}


def _query(shown: Shown) -> Query:
    return Query(funnel, _arguments(shown))


def _labels(shown: Shown) -> list[str]:
    """Name the steps; in any order, a step has no event of its own."""
    steps = _chosen(shown)
    if shown.view.option("order", ORDERS[0]) == "any":
        return [f"{number} / {len(steps)}" for number in range(1, len(steps) + 1)]
    return [f"{number}. {name}" for number, name in enumerate(steps, 1)]


def _editor(shown: Shown) -> Steps:
    query = Query(top_events)
    return Steps(shown.frame(query), query, _chosen(shown), CHECKOUT, LEAST_STEPS, MOST_STEPS)


def _figure(shown: Shown, column: str, query: Query, row: int) -> Figure:
    """Give a value of the first or the last step."""
    before = shown.frame_before(query)
    return Figure(column, shown.frame(query)[[row]], query, None if before is None else before[[row]])


def _count(shown: Shown, row: int) -> Figure:
    return _figure(shown, "visitors", _query(shown), row)


def _conversion(shown: Shown) -> Figure:
    return _figure(shown, "from_first", _query(shown), -1)


def _median_time(shown: Shown) -> Figure:
    return _figure(shown, "median_time", Query(funnel_times, _arguments(shown)), -1)


def _lost(shown: Shown) -> pl.DataFrame:
    """Give the funnel, with how each step is named, who reached the step before it, and which share of them left."""
    reached = pl.col("visitors") + pl.col("dropped")
    return shown.frame(_query(shown)).with_columns(
        label=pl.Series(_labels(shown)),
        reached=reached,
        lost_share=pl.when(reached > 0).then(pl.col("dropped") / reached),
    )


def _noted(lost: pl.DataFrame, step: int) -> pl.DataFrame:
    return lost.filter(pl.col("step") == step).select("label", "dropped", "reached", "lost_share")


def _worst(lost: pl.DataFrame) -> int | None:
    """Give the number of the step before which the most visitors leave, the first of several; None if nobody does."""
    found = lost.filter(pl.col("dropped") > 0).sort("dropped", descending=True, maintain_order=True)["step"]
    return int(found[0]) if found.len() else None


def _chart(shown: Shown) -> Chart:
    """Draw one bar per step: who reached it, and in another colour who left before it, strongest at the worst step."""
    query = _query(shown)
    frame, lost = compared(shown, query, ["step"], "visitors"), _lost(shown)
    worst = _worst(lost)
    drawn = frame.hstack(lost.select("label", pl.col("reached").fill_null(pl.col("visitors")), "lost_share"))
    base = alt.Chart(drawn).encode(y=alt.Y("label:N", title=None, sort=None))
    emphasis = alt.condition(f"datum.step === {worst or 0}", alt.value(WORST), alt.value(OTHER))
    layers = [
        base.mark_bar(style="part", size=BAR, yOffset=BAR_UP).encode(x=alt.X("visitors:Q", title=None)),
        base.mark_bar(style="lost", size=BAR, yOffset=BAR_UP).encode(x="visitors:Q", x2="reached:Q", opacity=emphasis),
        base.transform_calculate(numbers=NUMBERS)
        .mark_text(style="name", align="left", dy=NUMBERS_DOWN)
        .encode(x=alt.value(0), text="numbers:N"),
        base.transform_calculate(numbers=LOST)
        .mark_text(style="lost", align="right", dy=NUMBERS_DOWN)
        .encode(x=alt.value("width"), text="numbers:N"),
    ]
    if PREVIOUS in frame.columns:
        before = base.mark_tick(style="before", size=BAR + 6, yOffset=BAR_UP)
        layers.append(before.encode(x=alt.X(f"{PREVIOUS}:Q", title=None)))
    chart = alt.layer(*layers).properties(width="container", height=STEP * frame.height)
    tooltip = present(frame, "event_name", "visitors", PREVIOUS, CHANGE, "from_first", "from_previous", "dropped")
    note = None if worst is None else _noted(lost, worst)
    return Chart(chart, frame, query, tooltip, "visitors", sets={"dropped": ("step", "step")}, note=note)


def _steps(shown: Shown) -> Table:
    query = _query(shown)
    frame = compared(shown, query, ["step"], "visitors")
    return Table(frame, query, _columns(shown, frame), sets={"dropped": ("step", "step")}, kinds={"step": "text"})


def _times(shown: Shown) -> Table:
    query = Query(funnel_times, _arguments(shown))
    frame = compared(shown, query, ["step"], "median_time")
    return Table(frame, query, _columns(shown, frame), kinds={"step": "text", PREVIOUS: "seconds"})


def _columns(shown: Shown, frame: pl.DataFrame) -> list[str]:
    """Give the columns that a table of steps shows: in any order, a step has no event of its own."""
    return [name for name in frame.columns if name != "event_name" or shown.view.option("order", "") != "any"]


def _groups(shown: Shown) -> Table:
    """List the largest groups: the visitors of each step, the conversion, and where most leave."""
    by = shown.view.option("by", FIRST_GROUP)
    query = Query(funnel, _arguments(shown) | {"by": by})
    before = shown.frame_before(query)
    labels = _labels(shown)
    groups = _by_group(shown.frame(query), labels).sort(labels[0], "group", descending=[True, False])
    frame = beside(groups, None if before is None else _by_group(before, labels), ["group"], "conversion")
    filters = {"group": GROUP_FILTERS[by]} if by in GROUP_FILTERS else {}
    return Table(frame.head(limit_of(shown)), query, filters=filters, bars=labels[0], kinds={PREVIOUS: "share"})


def _by_group(frame: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    """Give one row per group of a funnel."""
    dropped, visitors = pl.col("dropped"), pl.col("visitors")
    is_worst = (dropped == dropped.max()) & (dropped > 0)
    names = dict(enumerate(labels, 1))
    return frame.group_by("group", maintain_order=True).agg(
        *(visitors.filter(pl.col("step") == number).first().alias(label) for number, label in names.items()),
        conversion=pl.col("from_first").filter(pl.col("step") == len(labels)).first(),
        most_leave_at=pl.col("step").replace_strict(names, return_dtype=pl.String).filter(is_worst).first(),
        lost_share=(dropped / (visitors + dropped)).filter(is_worst).first(),
    )


def _dropped(shown: Shown) -> Table:
    """List a page of who left before the chosen step, or else before the worst one."""
    steps, text, lost = _chosen(shown), shown.view.option("step", ""), _lost(shown)
    if text and text not in {str(number) for number in range(2, len(steps) + 1)}:
        raise AnalysisError(f"step is {text!r}: write the number of a step after the first, from 2 to {len(steps)}")
    step = int(text) if text else _worst(lost) or 2
    return visitor_list(shown, Query(funnel_dropped, {"step": step, **_arguments(shown)}), _noted(lost, step))


FUNNEL = Page(
    "funnel",
    panels,
    {
        "steps": (),
        "window": tuple(WINDOWS),
        "order": ORDERS,
        "by": (FIRST_GROUP, *(name for name in GROUPS if name != FIRST_GROUP)),
        "step": (),
        "limit": LIMITS,
        PLACE: (),
    },
)
