"""Paths: which event follows which in a session. Definitions: docs/metrics.md."""

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.arguments import check_limit
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["paths"]


def paths(engine: Engine, within: Range, limit: int | None = None, *, clicks: bool = False) -> pl.DataFrame:
    """Count the transitions from one event to the next within sessions.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        limit: The greatest number of rows; None for all.
        clicks: Count automatic `click` events too. By default they are left out before neighbours are sought, because
            they are most of a session: two events with only clicks between them follow each other.

    Returns:
        One row per pair of event names that follow each other in a session: `from_event`, `to_event`, `transitions`,
        `share` of all transitions from `from_event` (of 1; the limit does not change it). Order: transitions, most
        first, then from_event, to_event.

    Raises:
        AnalysisError: `limit` is negative.
    """
    check_limit(limit)
    return engine.query(statement("paths"), {**within.parameters, "limit": limit, "clicks": clicks})
