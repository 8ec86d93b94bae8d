"""The horizon of a warehouse: the day from which on it keeps rows, since `retain` has deleted the older ones."""

from datetime import UTC, date, datetime, time

import psycopg

from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import SETTINGS

__all__ = ["SELECT_HORIZON", "record_horizon", "recorded_horizon", "start_of"]

SELECT_HORIZON = f"SELECT value FROM {SETTINGS} WHERE name = 'horizon'"  # noqa: S608  # our own name
# A date in ISO 8601, so that texts compare as dates do. Of two that write at once, the later day stays.
RECORD = f"""
INSERT INTO {SETTINGS} AS setting (name, value) VALUES ('horizon', %(horizon)s)
ON CONFLICT (name) DO UPDATE
SET value = CASE WHEN %(move_back)s THEN EXCLUDED.value ELSE greatest(setting.value, EXCLUDED.value) END
"""  # noqa: S608  # our own name


def recorded_horizon(connection: psycopg.Connection) -> datetime | None:
    """Read the start of the first day that is kept, in UTC; None if rows of every age are. Raises psycopg.Error."""
    row = connection.execute(SELECT_HORIZON.encode()).fetchone() if has_table(connection, SETTINGS) else None
    return None if row is None else start_of(row[0])


def record_horizon(connection: psycopg.Connection, horizon: datetime, *, move_back: bool) -> None:
    """Record a horizon, without a commit. An earlier one than the recorded one counts only with `move_back`."""
    parameters = {"horizon": f"{horizon.astimezone(UTC):%Y-%m-%d}", "move_back": move_back}
    connection.execute(RECORD.encode(), parameters)


def start_of(day: str) -> datetime:
    """Give the start of a recorded day, in UTC."""
    return datetime.combine(date.fromisoformat(day), time(), UTC)
