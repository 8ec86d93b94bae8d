"""The report of a validation: its checks, and what became of each hour's objects."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from analysis.checks.validation.finding import Check
from analysis.engines.completeness import Completeness
from analysis.raw.sample import Sample

__all__ = ["ValidationReport"]

_CHECKS_SCHEMA = {
    "check": pl.String,
    "severity": pl.String,
    "findings": pl.Int64,
    "observed": pl.String,
    "expected": pl.String,
    "advice": pl.String,
}


@dataclass(frozen=True)
class ValidationReport:
    """The outcome of a validation.

    Attributes:
        source: The raw bucket.
        has_warehouse: Whether raw was compared with a warehouse. If not, the checks of rows did not run.
        start: The start of the range, UTC.
        end: The end of the range, UTC.
        hours: What became of each hour's objects, as `rows.hours` gives it.
        checks: Every check that ran.
        sample: Which of the events are made up; None if all are real.
        judged_until: Events that were received or stored from then on are not yet judged. UTC.
        lookback: How long before `start` duplicates were looked for.
        horizon: The warehouse keeps rows since then, and older events were not compared with it; None if it keeps all.
        completeness: How far the reconciler has found the range complete; None if it has not looked at it.
        lake_hours: How many hours came from the lake, of the range, before it and after it. The others come from raw.
    """

    source: str
    has_warehouse: bool
    start: datetime
    end: datetime
    hours: pl.DataFrame
    checks: list[Check]
    sample: Sample | None
    judged_until: datetime
    lookback: timedelta
    horizon: datetime | None = None
    lake_hours: int = 0
    completeness: Completeness | None = None

    @property
    def is_passed(self) -> bool:
        """Whether every check passed."""
        return all(check.is_passed for check in self.checks)

    @property
    def not_yet_judged(self) -> int:
        """How many objects are too young to be judged."""
        return int(self.hours["not_yet_judged"].sum())

    def as_frame(self) -> pl.DataFrame:
        """Give one row per check: `check`, `severity`, `findings` (how many), `observed`, `expected`, `advice`."""
        rows = [
            (check.name, check.severity, len(check.findings), check.observed, check.expected, check.advice)
            for check in self.checks
        ]
        return pl.DataFrame(rows, _CHECKS_SCHEMA, orient="row")
