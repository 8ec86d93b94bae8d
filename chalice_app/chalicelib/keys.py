"""Keys of raw objects: `events/YYYY/MM/DD/HH/event-<uuid>.json`, with the hour of receipt in UTC."""

from datetime import datetime
from uuid import UUID

__all__ = ["PREFIX", "SUFFIX", "object_key"]

PREFIX = "events/"
SUFFIX = ".json"


def object_key(received_at: datetime, unique: UUID) -> str:
    """Make the key of one request's raw object; `received_at` is aware and in UTC."""
    # Not by strftime, which took a tenth of the handler's time.
    at = received_at
    return f"{PREFIX}{at.year:04}/{at.month:02}/{at.day:02}/{at.hour:02}/event-{unique}{SUFFIX}"
