"""Retention: how many visitors come back. Definitions: docs/metrics.md."""

from typing import Literal, TypeAlias, get_args

import polars as pl

from analysis.metrics.arguments import check_choice
from analysis.metrics.engine import Engine
from analysis.metrics.range import Range
from analysis.metrics.statement import statement

__all__ = ["CohortGrain", "retention"]

CohortGrain: TypeAlias = Literal["day", "week"]


def retention(engine: Engine, within: Range, grain: CohortGrain = "day") -> pl.DataFrame:
    """Count the visitors of each cohort who come back in later days or weeks.

    A visitor belongs to the cohort of the day or week of their first event in the range. Definition: Umami,
    `getRetention.ts`.

    Args:
        engine: Where to compute: `RawEvents` or `WarehouseEvents`.
        within: The time range, and the login state.
        grain: `day` or `week`, of the range's zone; a week begins on Monday.

    Returns:
        One row per cohort and period with active visitors: `cohort` (the day, or the week's Monday), `period` (0…: the
        days or weeks after the cohort's), `visitors` of the cohort, `active` visitors among them, `share` = active ÷
        visitors. Order: cohort, period.

    Raises:
        AnalysisError: `grain` has another value.
    """
    check_choice("grain", grain, get_args(CohortGrain))
    return engine.query(statement("retention", local_events="local_events"), {**within.parameters, "grain": grain})
