"""Object keys: `events/YYYY/MM/DD/HH/event-<uuid>.json`, the hour in UTC of receipt."""

from datetime import datetime
from uuid import UUID

__all__ = ["PREFIX", "SUFFIX", "object_key"]

PREFIX = "events/"
SUFFIX = ".json"


def object_key(received_at: datetime, unique: UUID) -> str:
    """Key of the raw object of one request; `received_at` is aware and in UTC."""
    # Not strftime: it took a tenth of the handler's own time.
    at = received_at
    return f"{PREFIX}{at.year:04}/{at.month:02}/{at.day:02}/{at.hour:02}/event-{unique}{SUFFIX}"
