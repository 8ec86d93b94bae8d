"""The page Sessions: how long and how deep visits are, what becomes of carts, and which event follows which."""

from collections.abc import Callable, Sequence
from functools import partial

import altair as alt
import polars as pl

from analysis import charts
from analysis.dashboard.events import Shown
from analysis.dashboard.export import as_python
from analysis.dashboard.pages.page import Page
from analysis.dashboard.panel import Chart, Figure, Panel, Query, Table
from analysis.metrics.carts import carts
from analysis.metrics.paths import paths
from analysis.metrics.sessions import session_summary, sessions

__all__ = ["SESSIONS"]

FIGURES = ("sessions", "median_duration", "views_per_session", "bounce_rate")
CLASSES: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], Callable[[pl.DataFrame], alt.Chart]]] = {
    "durations": (charts.sessions.duration_classes, charts.sessions.durations),
    "depths": (charts.sessions.depth_classes, charts.sessions.depths),
}


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: four figures, the sessions by duration and depth, the carts, and what follows what."""
    return [
        *(Panel(name, "figure", partial(_figure, shown, name)) for name in FIGURES),
        *(Panel(name, "chart", partial(_classes, shown, name)) for name in CLASSES),
        Panel("summary", "table", partial(_summary, shown), is_wide=True),
        Panel("carts", "table", partial(_carts, shown), is_wide=True),
        Panel("next_events", "chart", partial(_next_events, shown)),
    ]


def _figure(shown: Shown, name: str) -> Figure:
    """Give a figure of the sessions that the publisher named: the first row."""
    query = Query(session_summary)
    return Figure(name, shown.frame(query), query, shown.frame_before(query))


def _classes(shown: Shown, name: str) -> Chart:
    query, (count, draw) = Query(sessions), CLASSES[name]
    frame = shown.frame(query)
    counted = count(frame)
    python = f"from analysis import charts\n{as_python(shown, query)}".removesuffix("frame\n")
    python += f"frame = charts.sessions.{count.__name__}(frame)\nframe\n"
    return Chart(_placed(draw(frame)), counted, tooltip=counted.columns, python=python)


def _summary(shown: Shown) -> Table:
    query = Query(session_summary)
    return Table(shown.frame(query), query)


def _carts(shown: Shown) -> Table:
    query = Query(carts)
    return Table(shown.frame(query), query)


def _next_events(shown: Shown) -> Chart:
    query = Query(paths)
    frame = shown.frame(query)
    return Chart(_placed(charts.sessions.paths(frame)), frame, query, frame.columns)


def _placed(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> alt.TopLevelMixin:
    """Give a chart of the notebooks the size of its place."""
    return chart.properties(width="container")


SESSIONS = Page("sessions", panels)
