"""The events that a metric covers: a time range, perhaps of one login state, and times as people write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

from analysis.errors import AnalysisError

__all__ = ["HISTORY_DAYS", "LoginState", "Range", "moment", "span"]

HOUR = timedelta(hours=1)
HISTORY_DAYS = 28  # the default of notebooks and reports: four weekly cohorts
LoginState: TypeAlias = Literal["logged_in", "anonymous"]


@dataclass(frozen=True)
class Range:
    """The events with `start <= event_timestamp < end`, and with this `user_login_state` if one is given.

    Attributes:
        start: The first moment, aware. Metrics count days and hours in UTC, in whatever zone the range is given.
        end: The moment after the last, aware.
        login_state: `logged_in` or `anonymous`; None for all events.

    Raises:
        AnalysisError: A time is not aware, the end is before the start, or the login state has another value.
    """

    start: datetime
    end: datetime
    login_state: LoginState | None = None

    def __post_init__(self) -> None:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise AnalysisError("a range needs times with a time zone, for example 2026-11-24T00:00:00Z")
        if self.end < self.start:
            raise AnalysisError(f"the range ends ({self.end.isoformat()}) before it starts ({self.start.isoformat()})")
        if self.login_state not in (None, *get_args(LoginState)):
            raise AnalysisError(f"the login state must be one of {', '.join(get_args(LoginState))}, or None")

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of `analysis/metrics/sql/events.sql`."""
        return {"start": self.start, "end": self.end, "login_state": self.login_state}


def moment(text: str | datetime) -> datetime:
    """Parse an ISO-8601 time into an aware time in UTC; without an offset it is UTC. Raises AnalysisError."""
    try:
        time = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        raise AnalysisError(f"{text!r} is not a time: write 2026-11-25T09:00Z, or 2026-11-25") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def span(start: str | datetime | None, end: str | datetime | None, days: int) -> tuple[datetime, datetime]:
    """Fill in the default span: `days` days that end with the current hour.

    Args:
        start: The first hour; None for `days` days before the end.
        end: The hour after the last; None for the hour after the current one.
        days: The length of the default span.

    Returns:
        Start and end, aware, in UTC.

    Raises:
        AnalysisError: A text is not a time.
    """
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + HOUR if end is None else moment(end)
    return last - timedelta(days=days) if start is None else moment(start), last
