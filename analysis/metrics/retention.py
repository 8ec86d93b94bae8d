"""Retention: which visitors come back. Definitions: docs/metrics.md."""

from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.metrics.arguments import check_choice
from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["CohortGrain", "retention"]

CohortGrain: TypeAlias = Literal["day", "week"]


def retention(engine: Engine, within: Range, grain: CohortGrain = "day") -> pl.DataFrame:
    """Give one row per cohort and period in which some of it are active.

    Columns: `cohort` (the UTC day, or its Monday, of a visitor's first event in the range), `period` (0…: days or weeks
    after it), `visitors` of the cohort, `active` of these, `share` = active ÷ visitors. Order: cohort, period.
    Definition: Umami, `getRetention.ts`. Raises AnalysisError for another grain.
    """
    check_choice("grain", grain, get_args(CohortGrain))
    return engine.query(statement("retention"), {**within.parameters, "grain": grain})
