"""Counts and lists the events that have reached the warehouse since a given time, and tells when to ask for them."""

import math
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import SCHEMA
from emulator.traces.detail import plain
from emulator.traces.trace import Trace
from emulator.traces.traces import MOST_TRACES, Traces
from emulator.triggers.projected import quick_connection

__all__ = ["FILTERS", "Arrivals", "Expected"]

FILTERS = {"eventName": "event_name", "sessionId": "session_id", "clientId": "client_id", "userId": "user_id"}
MOST_ROWS = 100
# Rows that another program inserts, such as a backfill, are found after so many seconds for each request that waits.
LOOK_SECONDS = 1.0
MOST_LOOK_SECONDS = 30.0

# `%(…)s IS NULL OR` makes one statement work for every choice of filters; `since` is compared with the time of receipt.
# `xmin` is the id of the transaction that made a row: after the clock was set back, times alone do not tell later rows.
SINCE = f"""
FROM {TABLE}
WHERE event_timestamp >= coalesce(%(since)s::TIMESTAMPTZ, '-infinity')
  AND (%(after)s::XID IS NULL OR age(xmin) <= age(%(after)s::XID))
"""
MATCHING = f"""{SINCE}
  AND (%(event_name)s::TEXT IS NULL OR event_name = %(event_name)s)
  AND (%(session_id)s::TEXT IS NULL OR session_id = %(session_id)s)
  AND (%(client_id)s::TEXT IS NULL OR client_id = %(client_id)s)
  AND (%(user_id)s::TEXT IS NULL OR user_id = %(user_id)s)
"""
COUNT = f"SELECT count(*) AS count {MATCHING}"  # made of the contract's names only
# The contract's columns only: a column that an analyst has added may have a type that JSON lacks.
ROWS = f"SELECT {SCHEMA.names} {MATCHING} ORDER BY event_timestamp DESC, event_id LIMIT {MOST_ROWS}"
NAMES = f"""
SELECT event_name, count(*) AS count {SINCE}
GROUP BY event_name ORDER BY event_name
"""


class Arrivals:
    """The rows of events that match the filters and were received since a given time.

    Args:
        dw_url: libpq URL of the warehouse.
        since: Earliest time of receipt, aware; None: no limit.
        filters: Values by the names in FILTERS.
        after: Id of a transaction of the warehouse: only rows of later ones count; None: all rows.
    """

    def __init__(
        self, dw_url: str, since: datetime | None, filters: Mapping[str, str], after: str | None = None
    ) -> None:
        self._dw_url = dw_url
        self._parameters = {
            "since": since,
            "after": after,
            **{column: filters.get(name) for name, column in FILTERS.items()},
        }

    def count(self) -> int:
        """Return the number of rows; 0 while the warehouse does not answer."""
        try:
            [[row]] = self._ask(COUNT)
        except psycopg.Error:
            return 0
        return int(row["count"])

    def as_json(self) -> dict[str, Any]:
        """Return the last 100 rows as `events`, the newest first, and counts by event name as `arrived`.

        The counts ignore the filters. `problem` is there if the warehouse does not answer.
        """
        try:
            rows, names = self._ask(ROWS, NAMES)
        except psycopg.errors.UndefinedTable:
            return {"events": [], "arrived": {}}
        except psycopg.Error as error:
            why = next(iter(str(error).splitlines()), type(error).__name__)
            return {"events": [], "arrived": {}, "problem": f"the warehouse does not answer: {why}"}
        events = [{name: plain(value) for name, value in row.items()} for row in rows]
        return {"events": events, "arrived": {row["event_name"]: row["count"] for row in names}}

    def _ask(self, *queries: str) -> list[list[dict[str, Any]]]:
        # A new connection each time: long waits must not use up the connections that the warehouse allows.
        with quick_connection(self._dw_url) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return [cursor.execute(query.encode(), self._parameters).fetchall() for query in queries]


class Expected:
    """Tells when it is worth asking the warehouse: counting the rows of an hour takes longer than projecting one.

    Args:
        traces: Tell which events have become rows.
        since: Earliest time of receipt, aware; None: no limit.
        filters: Values by the names in FILTERS.
    """

    def __init__(self, traces: Traces, since: datetime | None, filters: Mapping[str, str]) -> None:
        self._traces = traces
        self._since = -math.inf if since is None else since.timestamp()
        self._values = {FILTERS[name]: value for name, value in filters.items()}
        self._epoch, self._revision = traces.epoch, traces.revision
        self._seen = 0
        self._asked_at = -math.inf

    def is_worth_asking(self, missing: int, waiting: int) -> bool:
        """Return whether as many matching rows as are missing have come since the last question, or a look is due."""
        if self._epoch != self._traces.epoch:
            self._epoch, self._revision = self._traces.epoch, 0
        changed = self._traces.changed_since(self._revision, MOST_TRACES)
        self._revision = changed[-1].revision if changed else self._revision
        self._seen += sum(map(self._matches, changed))
        look = min(LOOK_SECONDS * waiting, MOST_LOOK_SECONDS)
        if self._seen < missing and time.monotonic() < self._asked_at + look:
            return False
        self._seen, self._asked_at = 0, time.monotonic()
        return True

    def _matches(self, trace: Trace) -> bool:
        received_at = trace.accepted_at or trace.stored_at
        is_recent = received_at is None or received_at > self._since - 1  # both are rounded
        return trace.state == "row" and is_recent and all(getattr(trace, k) == v for k, v in self._values.items())
