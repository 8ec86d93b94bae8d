"""The page Acquisition: where sessions come from, where they begin and end, and what visitors search for."""

from collections.abc import Sequence
from functools import partial
from typing import get_args

import polars as pl

from analysis.dashboard.events import Shown
from analysis.dashboard.pages.charts import bars
from analysis.dashboard.pages.compared import CHANGE, PREVIOUS, compared, present
from analysis.dashboard.pages.page import LIMITS, Page, limit_of
from analysis.dashboard.panel import Chart, Figure, Panel, Query, Table
from analysis.metrics.acquisition import SessionColumn, revenue_by, search_terms, sessions_by
from analysis.metrics.overview import key_figures, key_figures_over_time

__all__ = ["ACQUISITION", "FILTER_OF"]

FIGURES = ("sessions", "visitors", "visitor_conversion")
MEASURES = ("sessions", "visitors", "buyers", "session_conversion", "visitor_conversion")
REPORTED = ("channel", "campaign", "source", "landing_page", "device", "country")
BARS = 15  # a chart with more is no longer read
# The filter that keeps the sessions of a group; the other groups have none.
FILTER_OF = {
    **{name: name for name in ("channel", "campaign", "device", "browser", "country")},
    "landing_page": "landing",
}
TABLES: dict[str, SessionColumn] = {
    "channels": "channel",
    "campaigns": "campaign",
    "sources": "source",
    "mediums": "medium",
    "referrers": "referrer",
    "landing_pages": "landing_page",
    "exit_pages": "exit_page",
}


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: three figures, the chosen groups with their revenue, and every other group as a table."""
    return [
        *(Panel(name, "figure", partial(_figure, shown, name)) for name in FIGURES),
        Panel("groups", "chart", partial(_groups, shown)),
        Panel("revenue", "table", partial(_revenue, shown), is_wide=True),
        *(Panel(name, "table", partial(_sessions, shown, by)) for name, by in TABLES.items()),
        Panel("search_terms", "table", partial(_search_terms, shown)),
    ]


def _figure(shown: Shown, name: str) -> Figure:
    query, grain = Query(key_figures), shown.grain()
    empty = 0 if name != "visitor_conversion" else None
    course = shown.over_time(Query(key_figures_over_time, {"grain": grain}), grain, pl.col(name), empty)
    return Figure(name, shown.frame(query), query, shown.frame_before(query), course)


def _groups(shown: Shown) -> Chart:
    by, measure = shown.view.option("by", "channel"), shown.view.option("measure", MEASURES[0])
    query = Query(sessions_by, {"by": by, "limit": BARS})
    frame = compared(shown, query, ["group"], measure)
    tooltip = ("group", PREVIOUS, CHANGE, *MEASURES)
    return bars(frame, query, "group", measure, tooltip, _filters(by))


def _revenue(shown: Shown) -> Table:
    """List the revenue of the chosen groups."""
    by = shown.view.option("by", "channel")
    query = Query(revenue_by, {"by": by, "limit": limit_of(shown)})
    frame = compared(shown, query, ["currency", "group"], "revenue")
    columns = ["group", *(name for name in frame.columns if name != "group")]
    return Table(frame, query, columns, _filters(by), kinds={PREVIOUS: "money"})


def _sessions(shown: Shown, by: SessionColumn) -> Table:
    query = Query(sessions_by, {"by": by, "limit": limit_of(shown)})
    frame = compared(shown, query, ["group"], "sessions")
    columns = present(frame, "group", "sessions", PREVIOUS, CHANGE, "visitors", "buyers", "session_conversion")
    return Table(frame, query, columns, _filters(by), bars="sessions")


def _search_terms(shown: Shown) -> Table:
    query = Query(search_terms, {"limit": limit_of(shown)})
    frame = compared(shown, query, ["search_term"], "sessions")
    columns = present(frame, "search_term", "sessions", PREVIOUS, CHANGE, "views", "purchase_sessions", "conversion")
    return Table(frame, query, columns, bars="sessions")


def _filters(by: str) -> dict[str, str]:
    return {"group": FILTER_OF[by]} if by in FILTER_OF else {}


ACQUISITION = Page(
    "acquisition",
    panels,
    {"by": get_args(SessionColumn), "measure": MEASURES, "limit": LIMITS},
    report={"by": REPORTED, "measure": MEASURES},
)
