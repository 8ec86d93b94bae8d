"""Reads the horizon of a warehouse through an engine: the day from which on the warehouse keeps rows."""

from datetime import datetime
from typing import TYPE_CHECKING

from analysis.errors import NoTable
from chalicelib.warehouse.horizon import SELECT_HORIZON, start_of

if TYPE_CHECKING:
    from analysis.engines.protocol import Engine  # the local stack's triggers need no Polars

__all__ = ["horizon_of"]


def horizon_of(warehouse: "Engine") -> datetime | None:
    """Read the horizon through an engine.

    Returns:
        The start of a day in UTC; None if rows of every age are kept.

    Raises:
        AnalysisError: The warehouse cannot be read.
    """
    try:
        found = warehouse.query(SELECT_HORIZON, {})
    except NoTable:  # a warehouse that was made before there were settings
        return None
    return None if found.is_empty() else start_of(found.item())
