"""Check that metrics agree: the same SQL gives the same answer from raw and from the warehouse."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl

from analysis.engine import Engine, RawEvents
from analysis.metrics.carts import carts
from analysis.metrics.funnel import funnel
from analysis.metrics.overview import by_login_state, events_over_time, overview, top_events, visitor_types
from analysis.metrics.paths import paths
from analysis.metrics.products import discount_effect, products
from analysis.metrics.retention import retention
from analysis.metrics.sessions import session_summary
from analysis.range import Range
from analysis.reader import read_events
from analysis.validation.finding import Check

__all__ = ["METRICS", "agreement_check"]

# Those whose columns the warehouse holds; rankings whole, since a cut says nothing of what is below it.
METRICS: dict[str, Callable[[Engine, Range], pl.DataFrame]] = {
    "overview": overview,
    "events_over_time": events_over_time,
    "top_events": top_events,
    "by_login_state": by_login_state,
    "visitor_types": visitor_types,
    "funnel": funnel,
    "session_summary": session_summary,
    "retention": retention,
    "products": lambda engine, within: products(engine, within, limit=None),
    "discount_effect": discount_effect,
    "carts": carts,
    "paths": lambda engine, within: paths(engine, within, limit=None),
}


def agreement_check(source: str | Path, warehouse: Engine, start: datetime, end: datetime) -> Check:
    """Compute each metric twice. Raises AnalysisError if raw or warehouse cannot be read."""
    raw, within = RawEvents(read_events(source, start, end).frame), Range(start, end)
    pairs = ((name, metric(raw, within), metric(warehouse, within)) for name, metric in METRICS.items())
    differing = [(name, here, there) for name, here, there in pairs if not here.equals(there)]
    return Check(
        "raw_and_warehouse_differ",
        "error",
        f"{len(differing)} of {len(METRICS)} metrics differ",
        "none",
        "Rows were changed by hand, or the warehouse was made under another contract: rebuild it from raw.",
        [
            {"metric": name, "rows_from_raw": here.height, "rows_from_warehouse": there.height}
            for name, here, there in differing
        ],
    )
