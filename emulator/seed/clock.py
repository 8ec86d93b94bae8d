"""Times of the seed: whole milliseconds since 1970 (UTC), which are exact and quick, and their conversions."""

from datetime import UTC, datetime, timedelta

from chalicelib.envelope import iso_milliseconds

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "hour_of", "iso", "milliseconds", "moment"]

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def moment(time: int) -> datetime:
    """Convert milliseconds to an aware UTC time."""
    return EPOCH + time * MILLISECOND


def milliseconds(at: datetime) -> int:
    """Convert an aware time to whole milliseconds, rounded down."""
    return (at - EPOCH) // MILLISECOND


def iso(time: int) -> str:
    """Format a time like `2026-11-24T22:00:00.123Z`."""
    return iso_milliseconds(moment(time))


def hour_of(time: int) -> int:
    """Return the beginning of the hour of a time."""
    return time - time % HOUR
