"""Faults of the warehouse that come from its other users."""

import time
from contextlib import suppress

import psycopg

from chalicelib.contract import TABLE
from emulator.soak.subject import Subject

__all__ = ["cut_connections"]

# While statements wait for the lock, their connections are cut.
LOCK = f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE"
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def cut_connections(subject: Subject, seconds: float) -> None:
    """Cut every connection to the warehouse, in the middle of its statement, again and again."""
    with psycopg.connect(subject.stack.dw_url, autocommit=True, connect_timeout=10) as cutter:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(psycopg.Error), psycopg.connect(subject.stack.dw_url, connect_timeout=10) as locker:
                locker.execute(LOCK)
                time.sleep(0.3)
                cutter.execute(CUT)
