"""Results as JSON, for programs: times in UTC, as in events."""

import json
from datetime import UTC, datetime

__all__ = ["json_text", "plain"]


def json_text(result: object) -> str:
    """One JSON value over several lines; what JSON has no type for is a text, as of `plain`."""
    return json.dumps(result, default=plain, indent=2)


def plain(value: object) -> str:
    """A value as a text; a time as RFC 3339 in UTC, as fine as it is (of one without a zone, as it is)."""
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        return value.isoformat()
    timespec = "microseconds" if value.microsecond % 1000 else "milliseconds" if value.microsecond else "seconds"
    return value.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
