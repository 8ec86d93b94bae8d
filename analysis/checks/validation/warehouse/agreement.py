"""Checks that raw and the warehouse agree: the same SQL gives the same result from both."""

from collections.abc import Callable, Iterable
from datetime import datetime

import polars as pl

from analysis.checks.validation.finding import Check
from analysis.checks.validation.objects import ROW
from analysis.engines.protocol import Engine
from analysis.engines.raw import RawEvents
from analysis.metrics.carts import carts
from analysis.metrics.funnel import funnel
from analysis.metrics.overview import by_login_state, events_over_time, overview, top_events, visitor_types
from analysis.metrics.paths import paths
from analysis.metrics.products import discount_effect, products
from analysis.metrics.range import Range
from analysis.metrics.retention import retention
from analysis.metrics.sessions import session_summary

__all__ = ["METRICS", "agreement_check"]

# The metrics that need no raw fields. Rankings are compared whole: a limit would hide differences below it.
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


def agreement_check(
    warehouse: Engine, parts: Iterable[tuple[pl.DataFrame, pl.DataFrame]], start: datetime, end: datetime
) -> Check:
    """Check that each metric gives the same result from raw and from the warehouse.

    Args:
        warehouse: The warehouse.
        parts: The warehouse's rows in parts, each after all objects of its events, both with the contract's columns.
        start: The start of the range, aware.
        end: Its end, aware.

    Raises:
        AnalysisError: The warehouse cannot be read.
    """
    raw = RawEvents((_projected(objects, rows) for objects, rows in parts), price_decimals=warehouse.price_decimals)
    within = Range(start, max(start, end))
    pairs = ((name, metric(raw, within), metric(warehouse, within)) for name, metric in METRICS.items())
    differing = [(name, here, there) for name, here, there in pairs if not here.equals(there)]
    verb = "differs" if len(differing) == 1 else "differ"
    return Check(
        "raw_and_warehouse_differ",
        "error",
        f"{len(differing)} of {len(METRICS)} metrics {verb} between raw and the warehouse",
        "the same result from both",
        "Row by row, raw and the warehouse agree. Rows changed while validate ran, or a setting of the warehouse "
        "changes how it computes. Run validate again.",
        [
            {"metric": name, "rows_from_raw": here.height, "rows_from_warehouse": there.height}
            for name, here, there in differing
        ],
    )


def _projected(objects: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Choose one object per row: the one that became the row.

    The projector keeps the object that it projects first, which need not be the first received. An event whose row
    comes from an object of another span counts in that span: the metrics' range leaves it out.
    """
    row = rows.select("event_id", row_timestamp="event_timestamp")
    known = objects.join(row, on="event_id", how="inner", maintain_order="left")
    is_other = pl.col("event_timestamp") != pl.col("row_timestamp")
    chosen = known.sort(is_other, maintain_order=True).unique("event_id", keep="first", maintain_order=True)
    return chosen.with_columns(event_timestamp="row_timestamp").select(*ROW)
