"""How far the reconciler has found a warehouse complete: its table `clickstream_hours`, read through an engine."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from analysis.errors import NoTable
from chalicelib.warehouse.tables import HOURS

if TYPE_CHECKING:
    from analysis.engines.protocol import Engine

__all__ = ["Completeness", "completeness_of", "first_incomplete_hour"]

SELECT = f"""
SELECT count(*) AS hours, coalesce(sum(CASE WHEN complete THEN 1 ELSE 0 END), 0)::BIGINT AS complete,
    max(checked_at) AS checked_at
FROM {HOURS} WHERE hour >= date_trunc('hour', $start::TIMESTAMPTZ) AND hour < $end
"""  # noqa: S608  # our own name

FIRST = f"""
SELECT min(hour) AS hour
FROM {HOURS} WHERE NOT complete AND hour >= date_trunc('hour', $start::TIMESTAMPTZ) AND hour < $end
"""  # noqa: S608  # as above


@dataclass(frozen=True)
class Completeness:
    """How far the hours of a range are complete.

    Attributes:
        hours: How many hours of the range have objects in raw, as far as the reconciler has looked.
        complete: In how many of them every object was accounted for.
        checked_at: When one of them was last compared, UTC.
    """

    hours: int
    complete: int
    checked_at: datetime


def completeness_of(warehouse: "Engine", start: datetime, end: datetime) -> Completeness | None:
    """Read what the reconciler has recorded of a range.

    Returns:
        None if it has looked at no hour of it: it does not run, or the warehouse was made before it.

    Raises:
        AnalysisError: The warehouse cannot be read.
    """
    try:
        found = warehouse.query(SELECT, {"start": start, "end": end})
    except NoTable:
        return None
    hours, complete, checked_at = found.row(0)
    return Completeness(hours, complete, checked_at) if hours else None


def first_incomplete_hour(warehouse: "Engine", start: datetime, end: datetime) -> datetime | None:
    """Find the first hour of a range that the reconciler has found incomplete.

    Returns:
        The hour's start, UTC; None if there is no such hour, or if nobody has looked.

    Raises:
        AnalysisError: The warehouse cannot be read.
    """
    try:
        hour: datetime | None = warehouse.query(FIRST, {"start": start, "end": end}).item()
    except NoTable:
        return None
    return hour
