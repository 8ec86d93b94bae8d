"""Paths: what follows what in a session. Definitions: docs/metrics.md."""

import polars as pl

from analysis.metrics.arguments import check_limit
from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["paths"]


def paths(engine: Engine, within: Range, limit: int | None = None) -> pl.DataFrame:
    """Per pair of event names that follow each other in a session: `from_event`, `to_event`, `transitions`, `share`.

    The share is of all transitions from `from_event` (of 1), whatever the limit; all rows without a limit. Order:
    transitions, most first, then from_event, to_event. Raises AnalysisError for a negative limit.
    """
    check_limit(limit)
    return engine.query(statement("paths"), {**within.parameters, "limit": limit})
