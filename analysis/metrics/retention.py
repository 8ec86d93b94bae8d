"""Retention: how many visitors come back. Definitions: docs/metrics.md."""

from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.engines.protocol import Engine
from analysis.metrics.arguments import check_choice
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["Cohort", "CohortGrain", "retention"]

Cohort: TypeAlias = Literal["range", "first_visit"]
CohortGrain: TypeAlias = Literal["day", "week", "month"]


def retention(engine: Engine, within: Range, grain: CohortGrain = "day", cohort: Cohort = "range") -> pl.DataFrame:
    """Count the visitors of each cohort who come back in later days, weeks or months.

    Definition: Umami, `getRetention.ts`, which has cohorts of the range over ClickHouse, and of the first visit over
    PostgreSQL.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        grain: `day`, `week` or `month`, of the range's zone; a week begins on Monday.
        cohort: What begins a visitor's cohort. `range`: their first event in the range, so that a visitor who came
            before the range looks new. `first_visit`: their first event in the range with `is_first_visit` true; a
            visitor without one is left out, and so are events before it.

    Returns:
        One row per cohort and period with active visitors: `cohort` (the day, the week's Monday, or the month's first
        day), `period` (0…: the days, weeks or months after the cohort's), `visitors` of the cohort, `active` visitors
        among them, `share` = active ÷ visitors. Order: cohort, period.

    Raises:
        AnalysisError: `grain` or `cohort` has another value.
    """
    check_choice("grain", grain, get_args(CohortGrain))
    check_choice("cohort", cohort, get_args(Cohort))
    text = statement("retention", local_events="local_events")
    return engine.query(text, {**within.parameters, "grain": grain, "cohort": cohort})
