"""The horizon of a warehouse: the day from which on it keeps rows, since `retain` has deleted the older ones."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import psycopg

from analysis.errors import NoTable
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import SETTINGS

if TYPE_CHECKING:
    from analysis.engines.protocol import Engine  # the local stack's triggers need no Polars

__all__ = ["horizon_of", "record_horizon", "recorded_horizon"]

SELECT = f"SELECT value FROM {SETTINGS} WHERE name = 'horizon'"  # noqa: S608  # our own name
# A date in ISO 8601, so that texts compare as dates do. Of two that write at once, the later day stays.
RECORD = f"""
INSERT INTO {SETTINGS} AS setting (name, value) VALUES ('horizon', %(horizon)s)
ON CONFLICT (name) DO UPDATE
SET value = CASE WHEN %(move_back)s THEN EXCLUDED.value ELSE greatest(setting.value, EXCLUDED.value) END
"""  # noqa: S608  # our own name


def horizon_of(warehouse: "Engine") -> datetime | None:
    """Read the horizon through an engine.

    Returns:
        The start of a day in UTC; None if rows of every age are kept.

    Raises:
        AnalysisError: The warehouse cannot be read.
    """
    try:
        found = warehouse.query(SELECT, {})
    except NoTable:  # a warehouse that was made before there were settings
        return None
    return None if found.is_empty() else _start_of(found.item())


def recorded_horizon(connection: psycopg.Connection) -> datetime | None:
    """Read the horizon over a connection, as `horizon_of` does. Raises psycopg.Error."""
    row = connection.execute(SELECT).fetchone() if has_table(connection, SETTINGS) else None
    return None if row is None else _start_of(row[0])


def record_horizon(connection: psycopg.Connection, horizon: datetime, *, move_back: bool) -> None:
    """Record a horizon, without a commit. An earlier one than the recorded one counts only with `move_back`."""
    connection.execute(RECORD, {"horizon": f"{horizon.astimezone(UTC):%Y-%m-%d}", "move_back": move_back})


def _start_of(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)
