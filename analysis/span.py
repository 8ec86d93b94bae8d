"""Spans of hours, as people write them: ISO-8601, UTC where there is no offset."""

from datetime import UTC, datetime, timedelta

from analysis.errors import AnalysisError

__all__ = ["HISTORY_DAYS", "moment", "span"]

HOUR = timedelta(hours=1)
HISTORY_DAYS = 28  # what notebooks and reports look at: four weekly cohorts


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
