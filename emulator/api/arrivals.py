"""Which events have reached the warehouse since a moment: counted in the warehouse itself."""

from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg.rows import dict_row

from chalicelib.contract import TABLE
from emulator.traces.detail import plain

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
    """Rows received since a moment (aware; None: ever) that match the filters; keeps one connection while open."""

    def __init__(self, dw_url: str, since: datetime | None, filters: Mapping[str, str]) -> None:
        self._dw_url = dw_url
        self._parameters = {"since": since, **{column: filters.get(name) for name, column in FILTERS.items()}}
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._problem: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._close()

    def count(self) -> int:
        """How many there are; 0 while the warehouse is away."""
        return sum(row["count"] for row in self._ask(COUNT))

    def facts(self) -> dict[str, Any]:
        """The last 100 of them, the newest first; how many of each name there are, whatever the filters; a problem."""
        events = [{name: plain(value) for name, value in row.items()} for row in self._ask(ROWS)]
        arrived = {row["event_name"]: row["count"] for row in self._ask(NAMES)}
        return {"events": events, "arrived": arrived} | ({"problem": self._problem} if self._problem else {})

    def _ask(self, query: LiteralString) -> list[dict[str, Any]]:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._dw_url, autocommit=True, connect_timeout=5, row_factory=dict_row
                )
            self._problem = None
            return self._connection.execute(query, self._parameters).fetchall()
        except psycopg.errors.UndefinedTable:
            return []
        except psycopg.Error as error:
            self._problem = f"the warehouse does not answer: {next(iter(str(error).splitlines()), '')}"
            self._close()
            return []

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
