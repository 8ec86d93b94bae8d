"""The hours of raw: their times, their prefixes, and how often each of them is looked at."""

from datetime import UTC, datetime, timedelta

from chalicelib.keys import PREFIX, is_in_hour

__all__ = ["HOUR", "RECENT", "hour_of_prefix", "is_due", "prefix_of", "recent_hours", "start_of"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# So many hours are looked at by every run; the older ones once a day.
RECENT = 48
# A month-old hour is looked at every day, a year-old one every twelve days: nothing but a hand changes them.
SHARE_OF_AGE = 30


def start_of(moment: datetime) -> datetime:
    """Give the start of the hour of an aware time, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def prefix_of(hour: datetime) -> str:
    """Give the prefix of the keys of one hour, as `events/2026/11/24/22/`."""
    return f"{PREFIX}{hour.year:04}/{hour.month:02}/{hour.day:02}/{hour.hour:02}/"


def hour_of_prefix(prefix: str) -> datetime | None:
    """Read the hour of a prefix `events/YYYY/MM/DD/HH/`; None if it is another."""
    if not is_in_hour(prefix):
        return None
    year, month, day, hour = map(int, prefix.split("/")[1:5])
    return datetime(year, month, day, hour, tzinfo=UTC)


def recent_hours(now: datetime) -> list[datetime]:
    """Give the last 48 hours, the current one included, the newest first."""
    return [start_of(now) - number * HOUR for number in range(RECENT)]


def is_due(hour: datetime, listed_at: datetime, now: datetime) -> bool:
    """Whether an hour that was complete when it was last listed has to be listed again.

    Ingest stores an event in its own hour. So an hour that ended long ago changes only by hand, and is listed ever
    more seldom: after one hour, each hour; after two days, each day; and so on.
    """
    age = now - (hour + HOUR)
    if age < HOUR:
        return True
    wait = HOUR if age < RECENT * HOUR else max(DAY, age / SHARE_OF_AGE)
    # Runs begin some seconds early or late.
    return now - listed_at >= wait - timedelta(minutes=1)
