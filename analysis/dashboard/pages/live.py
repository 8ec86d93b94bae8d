"""The page Live: who is here now, what happens minute by minute, and the latest events, each with its trace."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from analysis.checks.trace import follow
from analysis.dashboard.events import Shown
from analysis.dashboard.pages.charts import over_time
from analysis.dashboard.pages.page import LIMITS, Page, limit_of
from analysis.dashboard.pages.places import PLACE, place_of, place_text
from analysis.dashboard.panel import Chart, Figure, Panel, Query, Table
from analysis.errors import AnalysisError
from analysis.metrics.overview import events_over_time, key_figures
from analysis.metrics.range import Range
from analysis.metrics.visitors import latest_events, visitors
from analysis.rows.selection import DAY
from chalicelib.contract import TABLE

__all__ = ["LIVE", "OPEN_EVENT", "OPEN_VISITOR", "now_range"]

NAMES = ("visitors", "sessions", "views", "checkout_completes")
MINUTES = ("30", "5", "60")
SECONDS = ("10", "30", "paused")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# What a click opens, with values of the row's columns in the place of their names.
OPEN_EVENT = {"page": "live", "event": "{event_id}"}
OPEN_VISITOR = {"page": "visitors", "person": "{visitor_kind} {visitor}", "place": ""}
OPEN_CLIENT = {"page": "visitors", "person": "client {client_id}", "place": ""}
FILTERS = {"category": "category", "product_name": "product", "device": "device", "country": "country"}
LISTED = ("event_timestamp", "event_name", "client_id", "user_login_state", "product_name", "product_id", "category")
DERIVED = ("page_path", "device", "country")
TRACED = f"SELECT event_timestamp FROM {TABLE} WHERE CAST(event_id AS TEXT) = CAST($event_id AS TEXT)"  # noqa: S608  # our own name
TRACE = {
    "key": pl.String(),
    "received_at": pl.Datetime("us", "UTC"),
    "is_row": pl.Boolean(),
    "user_agent": pl.String(),
    "reason": pl.String(),
}


def panels(shown: Shown) -> Sequence[Panel]:
    """Give the panels: the trace, if one is open; the last minutes; and the events of the range."""
    within = now_range(shown)
    now = shown.at(within)
    trace = [Panel("trace", "table", partial(_trace, shown), is_wide=True)] if shown.view.option("event", "") else []
    return [
        *trace,
        *(Panel(name, "figure", partial(_figure, now, name), within=within) for name in NAMES),
        Panel("minutes", "chart", partial(_minutes, now), within=within),
        Panel("here", "table", partial(_here, now), is_wide=True, within=within),
        Panel("events", "table", partial(_events, shown), is_wide=True),
    ]


def now_range(shown: Shown) -> Range:
    """Give the last minutes, whatever the view's range is: whole ones, and the present one."""
    end = shown.now.replace(second=0, microsecond=0) + MINUTE
    minutes = int(shown.view.option("minutes", MINUTES[0]))
    return replace(shown.within, start=end - minutes * MINUTE, end=end)


def _figure(now: Shown, name: str) -> Figure:
    query = Query(key_figures)
    return Figure(name, now.frame(query), query)


def _minutes(now: Shown) -> Chart:
    """Draw the events of each minute; the present minute is not complete."""
    query = Query(events_over_time, {"grain": "minute"})
    counted = now.frame(query).group_by("period").agg(pl.col("events").sum())
    first = now.within.start
    count = (now.within.end - first) // MINUTE
    starts = pl.Series("period", [first + place * MINUTE for place in range(count)], pl.Datetime("us", "UTC"))
    frame = (
        starts.to_frame()
        .join(counted, on="period", how="left", maintain_order="left")
        .select(
            "period",
            period_end=pl.col("period") + MINUTE,
            is_complete=pl.col("period") + MINUTE <= now.complete_until,
            value=pl.col("events").fill_null(0),
            previous=pl.lit(None, counted.schema["events"]),
        )
    )
    return over_time(frame, query, "events", "minute")


def _here(now: Shown) -> Table:
    """List who was there, the latest first."""
    query = Query(visitors, {"limit": limit_of(now)})
    first = ("visitor", "visitor_kind")
    frame = now.frame(query).select(*first, pl.exclude(first))
    return Table(frame, query, links={"visitor": OPEN_VISITOR})


def _events(shown: Shown) -> Table:
    """List a page of the latest events. One more than is shown says whether there is a page after it."""
    limit, derived = limit_of(shown), shown.engine.has_derived
    before = place_of(shown.view.option(PLACE, ""), 2)
    arguments = {"before": before, "derived": derived}
    found = shown.frame(Query(latest_events, {"limit": limit + 1, **arguments}))
    frame = found.head(limit)
    following = place_text(frame.select("event_timestamp", "event_id").row(-1)) if found.height > limit else ""
    columns = (*LISTED, *(DERIVED if derived else ()), "event_id")
    query = Query(latest_events, {"limit": limit, **arguments})
    links = {"event_timestamp": OPEN_EVENT, "event_name": OPEN_EVENT, "client_id": OPEN_CLIENT}
    return Table(frame, query, columns, FILTERS, links=links, following=following, kinds={"event_timestamp": "second"})


def _trace(shown: Shown) -> Table:
    """List the objects of the event that is open: each delivery, and rejects that contain its id."""
    place, event = shown.place, shown.view.option("event", "")
    if place.source is None:
        raise AnalysisError("a trace reads raw: name it with --source")
    times = shown.engine.query(TRACED, {"event_id": event})["event_timestamp"]
    if times.is_empty():
        raise AnalysisError(f"there is no event {event} in this range: choose a range that holds it")
    first: datetime = times[0]
    # An event may arrive for a day after it occurred.
    last = first + (DAY if shown.view.clock == "occurred" else HOUR)
    trace = follow(place.source, place.dw_url, event, first, last)
    rows = [{name: each.get(name) for name in TRACE} for each in (*trace.deliveries, *trace.rejects)]
    return Table(pl.DataFrame(rows, TRACE), kinds={"received_at": "second"})


LIVE = Page(
    "live", panels, {"minutes": MINUTES, "refresh": SECONDS, "limit": LIMITS, "event": (), PLACE: ()}, report=None
)
