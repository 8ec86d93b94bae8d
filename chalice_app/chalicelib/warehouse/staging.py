"""The table that rows pass through in bulk, and the SQL that makes rows of the warehouse of it."""

from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import SCHEMA
from chalicelib.warehouse.tables import IS_ERASED, REJECTS

__all__ = ["COPY", "FORGET_ERASED", "INSERT", "MISSING", "RECEIVED", "SETTLE_REJECTS"]

NAMES = SCHEMA.names
# Made of the contract's columns: the table may have further columns, added by its users.
RECEIVED = f"CREATE TEMPORARY TABLE received ({SCHEMA.definitions}, key TEXT NOT NULL) ON COMMIT DELETE ROWS"
COPY = f"COPY pg_temp.received (key, {NAMES}) FROM STDIN"
# If several objects have one event id, the first received counts, as wherever raw is read.
INSERT = f"""
INSERT INTO {TABLE} ({NAMES})
SELECT DISTINCT ON (event_id) {NAMES}
FROM pg_temp.received
ORDER BY event_id, event_timestamp, key
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608  # made of the contract's names only
MISSING = f"""
SELECT count(DISTINCT event_id) FROM pg_temp.received
WHERE NOT EXISTS (SELECT FROM {TABLE} AS event WHERE event.event_id = received.event_id)
"""  # noqa: S608  # as above
SETTLE_REJECTS = (
    f"DELETE FROM {REJECTS} AS reject USING pg_temp.received WHERE reject.bucket = %s AND reject.key = received.key"  # noqa: S608  # as above
)
FORGET_ERASED = f"DELETE FROM pg_temp.received WHERE {IS_ERASED}(client_id, user_id)"  # noqa: S608  # as above
