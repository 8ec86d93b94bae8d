"""Which events a metric is about: a range of time, as people write it, and perhaps one login state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

from analysis.errors import AnalysisError

__all__ = ["HISTORY_DAYS", "LoginState", "Range", "moment", "span"]

HOUR = timedelta(hours=1)
HISTORY_DAYS = 28  # what notebooks and reports look at: four weekly cohorts
LoginState: TypeAlias = Literal["logged_in", "anonymous"]


@dataclass(frozen=True)
class Range:
    """The events with `start <= event_timestamp < end`, and with this `user_login_state` if one is given.

    `start` and `end` are aware; days and hours are UTC's, whatever their zone. Raises AnalysisError where one of them
    is not aware, where the end is before the start, and for another login state.
    """

    start: datetime
    end: datetime
    login_state: LoginState | None = None

    def __post_init__(self) -> None:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise AnalysisError("a range needs times with a zone, as 2026-11-24T00:00:00Z")
        if self.end < self.start:
            raise AnalysisError(f"the range ends ({self.end.isoformat()}) before it starts ({self.start.isoformat()})")
        if self.login_state not in (None, *get_args(LoginState)):
            raise AnalysisError(f"the login state is one of {', '.join(get_args(LoginState))}, or none")

    @property
    def parameters(self) -> Mapping[str, object]:
        """What `analysis/metrics/sql/events.sql` is asked with."""
        return {"start": self.start, "end": self.end, "login_state": self.login_state}


def moment(text: str | datetime) -> datetime:
    """Give the time that `text` says, aware, in UTC. Raises AnalysisError with an example if it says none."""
    try:
        time = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        raise AnalysisError(f"{text!r} is no time: write 2026-11-25T09:00Z, or 2026-11-25") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def span(start: str | datetime | None, end: str | datetime | None, days: int) -> tuple[datetime, datetime]:
    """Give the first hour and the one after the last: by default `days` days up to and with the current hour.

    Raises AnalysisError for a text that is no time.
    """
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + HOUR if end is None else moment(end)
    return last - timedelta(days=days) if start is None else moment(start), last
