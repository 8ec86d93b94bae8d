"""Keys of raw objects: `events/YYYY/MM/DD/HH/event-<uuid>.json`, with the hour of receipt in UTC."""

import re
from datetime import datetime
from uuid import UUID

from chalicelib.errors import InvalidEvent

__all__ = ["PREFIX", "SUFFIX", "is_in_hour", "object_key", "require_hour"]

PREFIX = "events/"
SUFFIX = ".json"
_HOUR = re.compile(rf"{PREFIX}(\d{{4}})/(\d\d)/(\d\d)/(\d\d)/", re.ASCII)


def object_key(received_at: datetime, unique: UUID) -> str:
    """Make the key of one request's raw object; `received_at` is aware and in UTC."""
    # Not by strftime, which took a tenth of the handler's time.
    at = received_at
    return f"{PREFIX}{at.year:04}/{at.month:02}/{at.day:02}/{at.hour:02}/event-{unique}{SUFFIX}"


def is_in_hour(key: str) -> bool:
    """Whether a key lies below an hour `events/YYYY/MM/DD/HH/`, spelled as ingest spells it."""
    found = _HOUR.match(key)
    try:
        return found is not None and bool(datetime(*map(int, found.groups())))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return False


def require_hour(key: str) -> None:
    """Raise InvalidEvent if an object lies outside of the hours: no reader takes it, so it becomes no row either."""
    if not is_in_hour(key):
        raise InvalidEvent("the key is not below an hour, events/YYYY/MM/DD/HH/: move the object there")
