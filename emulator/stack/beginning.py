"""The moment from which `/api/wait` counts events, as it looks even after somebody has set the clock."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from emulator.triggers.projected import quick_connection

__all__ = ["Beginning"]

NEXT_TRANSACTION = "SELECT pg_current_xact_id()::xid::text"


@dataclass(frozen=True)
class Beginning:
    """The start of a stack, or its last reset.

    Attributes:
        at: The time that the clock showed then (UTC).
        transaction: Transaction id of the warehouse then: later rows have later ids. None if it is not known.
        ticks: Seconds of the monotonic clock then.
    """

    at: datetime
    transaction: str | None = None
    ticks: float = field(default_factory=time.monotonic)

    @classmethod
    def now(cls, dw_url: str) -> "Beginning":
        """Note this moment."""
        at = datetime.now(UTC)
        try:
            with quick_connection(dw_url) as connection:
                row = connection.execute(NEXT_TRANSACTION).fetchone()
        except psycopg.Error:
            return cls(at)
        return cls(at, row[0] if row else None)

    @property
    def earliest(self) -> datetime:
        """The earliest time that a later event can bear: earlier than `at` if the clock was set back since."""
        return min(self.at, datetime.now(UTC) - timedelta(seconds=time.monotonic() - self.ticks))
