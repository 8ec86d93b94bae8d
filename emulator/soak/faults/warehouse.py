"""Faults of the warehouse that come from its other users."""

import time
from contextlib import suppress
from uuid import UUID

import psycopg

from chalicelib.contract import TABLE
from emulator.soak.subject import Subject

__all__ = ["REFUSED", "cut_connections", "is_refused", "refuse_rows"]

REFUSED = "rows refused"

CONSTRAINT = "soak_refuses_a_tenth"
# While statements wait for the lock, their connections are cut.
LOCK = f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE"
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
ACCEPTED_FROM = 26
# The last byte of an event id is random: a tenth of them are below 26. Rows that are there already stay.
REFUSE = f"""
ALTER TABLE {TABLE} ADD CONSTRAINT {CONSTRAINT} CHECK (get_byte(uuid_send(event_id), 15) >= {ACCEPTED_FROM}) NOT VALID
"""
ACCEPT = f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {CONSTRAINT}"


def is_refused(event_id: UUID) -> bool:
    """Return whether the constraint of `refuse_rows` refuses the row of an event."""
    return event_id.bytes[-1] < ACCEPTED_FROM


def cut_connections(subject: Subject, seconds: float) -> None:
    """Cut every connection to the warehouse, in the middle of its statement, again and again."""
    with psycopg.connect(subject.stack.dw_url, autocommit=True, connect_timeout=10) as cutter:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(psycopg.Error), psycopg.connect(subject.stack.dw_url, connect_timeout=10) as locker:
                locker.execute(LOCK)
                time.sleep(0.3)
                cutter.execute(CUT)


def refuse_rows(subject: Subject, seconds: float) -> None:
    """Let a constraint refuse about a tenth of all new rows for some seconds, as an analyst may add one."""
    with psycopg.connect(subject.stack.dw_url, autocommit=True, connect_timeout=10) as analyst:
        try:
            analyst.execute(REFUSE.encode())
            time.sleep(seconds)
        finally:
            analyst.execute(ACCEPT.encode())
