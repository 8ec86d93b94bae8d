"""Which events a metric is about: a range of time, and perhaps one login state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from analysis.errors import AnalysisError

__all__ = ["LoginState", "Range"]

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
        """What `analysis/sql/events.sql` is asked with."""
        return {"start": self.start, "end": self.end, "login_state": self.login_state}
