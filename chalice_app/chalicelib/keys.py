"""Object keys: `events/YYYY/MM/DD/HH/event-<uuid>.json`, the hour in UTC of receipt."""

from datetime import datetime
from uuid import UUID

__all__ = ["PREFIX", "SUFFIX", "object_key"]

PREFIX = "events/"
SUFFIX = ".json"


def object_key(received_at: datetime, unique: UUID) -> str:
    """Key of the raw object of one request; `received_at` is aware and in UTC."""
    return f"{PREFIX}{received_at:%Y/%m/%d/%H}/event-{unique}{SUFFIX}"
