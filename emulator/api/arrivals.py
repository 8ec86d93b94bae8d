"""Which events have reached the warehouse since a moment: counted in the warehouse itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from chalicelib.contract import TABLE
from emulator.traces.detail import plain
from emulator.triggers.projected import quick_connection

__all__ = ["FILTERS", "Arrivals"]

FILTERS = {"eventName": "event_name", "sessionId": "session_id", "clientId": "client_id", "userId": "user_id"}
MOST_ROWS = 100

# `%(…)s IS NULL OR` lets one statement serve every choice of filters; `since` is compared with the time of receipt.
MATCHING = f"""
FROM {TABLE}
WHERE event_timestamp >= coalesce(%(since)s::TIMESTAMPTZ, '-infinity')
  AND (%(event_name)s::TEXT IS NULL OR event_name = %(event_name)s)
  AND (%(session_id)s::TEXT IS NULL OR session_id = %(session_id)s)
  AND (%(client_id)s::TEXT IS NULL OR client_id = %(client_id)s)
  AND (%(user_id)s::TEXT IS NULL OR user_id = %(user_id)s)
"""
COUNT: LiteralString = f"SELECT count(*) AS count {MATCHING}"  # made of the contract's names only
ROWS: LiteralString = f"SELECT * {MATCHING} ORDER BY event_timestamp DESC, event_id LIMIT {MOST_ROWS}"
NAMES: LiteralString = f"""
SELECT event_name, count(*) AS count FROM {TABLE}
WHERE event_timestamp >= coalesce(%(since)s::TIMESTAMPTZ, '-infinity')
GROUP BY event_name ORDER BY event_name
"""  # noqa: S608  # made of the contract's names only


class Arrivals:
    """Rows received since a moment (aware; None: ever) that match the filters."""

    def __init__(self, dw_url: str, since: datetime | None, filters: Mapping[str, str]) -> None:
        self._dw_url = dw_url
        self._parameters = {"since": since, **{column: filters.get(name) for name, column in FILTERS.items()}}

    def count(self) -> int:
        """How many there are; 0 while the warehouse is away."""
        try:
            [[row]] = self._ask(COUNT)
        except psycopg.Error:
            return 0
        return int(row["count"])

    def as_json(self) -> dict[str, Any]:
        """The last 100 of them, the newest first; how many of each name there are, whatever the filters; a problem."""
        try:
            rows, names = self._ask(ROWS, NAMES)
        except psycopg.errors.UndefinedTable:
            return {"events": [], "arrived": {}}
        except psycopg.Error as error:
            why = next(iter(str(error).splitlines()), type(error).__name__)
            return {"events": [], "arrived": {}, "problem": f"the warehouse does not answer: {why}"}
        events = [{name: plain(value) for name, value in row.items()} for row in rows]
        return {"events": events, "arrived": {row["event_name"]: row["count"] for row in names}}

    def _ask(self, *queries: LiteralString) -> list[list[dict[str, Any]]]:
        # A connection each time: those who wait for long must not use up all that the warehouse allows.
        with quick_connection(self._dw_url) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return [cursor.execute(query, self._parameters).fetchall() for query in queries]
