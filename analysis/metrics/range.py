"""The events that a metric covers: a time range, perhaps of one login state, and times as people write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal, TypeAlias, get_args

from analysis.errors import AnalysisError
from analysis.metrics.zone import default_zone, instant, local_text, offsets, zone_of

__all__ = ["HISTORY_DAYS", "LoginState", "Range", "moment", "span"]

HOUR = timedelta(hours=1)
MARGIN = timedelta(days=366)  # readers look back and ahead, by no more than this
HISTORY_DAYS = 28  # the default of notebooks and reports: four weekly cohorts
LoginState: TypeAlias = Literal["logged_in", "anonymous"]


@dataclass(frozen=True)
class Range:
    """The events with `start <= event_timestamp < end`, and with this `user_login_state` if one is given.

    Attributes:
        start: The first moment, aware; any instant.
        end: The moment after the last, aware.
        login_state: `logged_in` or `anonymous`; None for all events.
        zone: The IANA name of the time zone whose hours, days and weeks metrics count, whatever zones `start` and `end`
            are given in. By default `CLICKSTREAM_ZONE`, else `UTC`.

    Raises:
        AnalysisError: A time is not aware, the end is before the start, the login state has another value, or the zone
            is unknown.
    """

    start: datetime
    end: datetime
    login_state: LoginState | None = None
    zone: str = field(default_factory=default_zone)

    def __post_init__(self) -> None:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise AnalysisError("a range needs times with a time zone, for example 2026-11-24T00:00:00Z")
        # Compared in UTC: Python compares two times of one zone by what its clocks show.
        if self.end.astimezone(UTC) < self.start.astimezone(UTC):
            raise AnalysisError(f"the range ends ({self.end.isoformat()}) before it starts ({self.start.isoformat()})")
        if self.login_state not in (None, *get_args(LoginState)):
            raise AnalysisError(f"the login state must be one of {', '.join(get_args(LoginState))}, or None")
        zone_of(self.zone)

    def __str__(self) -> str:
        start, end = (local_text(time, self.zone) for time in (self.start, self.end))
        return f"{start} to {end} ({self.zone})"

    @cached_property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of `analysis/metrics/sql/events.sql` and `local_events.sql`."""
        # In UTC: the drivers convert no time that a zone's clocks show twice.
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        starts, ends, seconds, days = zip(*offsets(zone_of(self.zone), start, end), strict=True)
        rules = {"starts": starts, "ends": ends, "seconds": seconds, "days": days}
        return {
            "start": start,
            "end": end,
            "login_state": self.login_state,
            "zone": self.zone,
            **{f"zone_{name}": list(values) for name, values in rules.items()},
        }


def moment(text: str | datetime, zone: str | None = None) -> datetime:
    """Parse an ISO-8601 time into an aware time in UTC.

    Args:
        text: The time. Without an offset, it is what clocks show in `zone`; a date is the beginning of its day.
        zone: The IANA name of a time zone; by default `CLICKSTREAM_ZONE`, else UTC.

    Raises:
        AnalysisError: The text is not a time, the zone is unknown, or its clocks show this time twice or never.
    """
    try:
        time = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        raise AnalysisError(f"{text!r} is not a time: write 2026-11-25T09:00Z, or 2026-11-25") from None
    there = zone_of(zone or default_zone())
    try:
        found = instant(time, there) if time.tzinfo is None else time.astimezone(UTC)
        _ = found - MARGIN, found + MARGIN
    except OverflowError:
        raise AnalysisError(f"{text} is too far away: write a time such as 2026-11-25T09:00Z") from None
    return found


def span(
    start: str | datetime | None, end: str | datetime | None, days: int, zone: str | None = None
) -> tuple[datetime, datetime]:
    """Fill in the default span: `days` days that end with the current hour.

    Args:
        start: The first moment; None for `days` days before the end.
        end: The moment after the last; None for the end of the current hour.
        days: The length of the default span.
        zone: The IANA name of the time zone of times without an offset, and of the current hour; by default
            `CLICKSTREAM_ZONE`, else UTC.

    Returns:
        Start and end, aware, in UTC.

    Raises:
        AnalysisError: A text is not a time, or the zone is unknown.
    """
    last = _next_hour(zone) if end is None else moment(end, zone)
    if start is not None:
        return moment(start, zone), last
    there = zone_of(zone or default_zone())
    # On the same hour of the clock, also where days of 23 or 25 hours lie between.
    return (last.astimezone(there) - timedelta(days=days)).astimezone(UTC), last


def _next_hour(zone: str | None) -> datetime:
    now = datetime.now(zone_of(zone or default_zone()))
    return (
        now.astimezone(UTC) - timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    ) + HOUR
