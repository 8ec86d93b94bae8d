"""Writes results as text: as JSON for programs, or one value alone. Times are spelled as in events."""

import json
from datetime import UTC, datetime

from chalicelib.envelope import iso_milliseconds

__all__ = ["json_text", "plain"]


def json_text(result: object) -> str:
    """Write one JSON value over several lines; `plain` writes values for which JSON has no type."""
    return json.dumps(result, default=plain, indent=2)


def plain(value: object) -> str:
    """Write a value as text; an aware time as RFC 3339 in UTC, with milliseconds."""
    return iso_milliseconds(value.astimezone(UTC)) if isinstance(value, datetime) else str(value)
