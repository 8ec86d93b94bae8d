"""Results as texts: as JSON, for programs, and one value alone; times are written as in events."""

import json
from datetime import UTC, datetime

from chalicelib.envelope import iso_milliseconds

__all__ = ["json_text", "plain"]


def json_text(result: object) -> str:
    """One JSON value over several lines; what JSON has no type for is a text, as of `plain`."""
    return json.dumps(result, default=plain, indent=2)


def plain(value: object) -> str:
    """A value as a text; an aware time as RFC 3339 in UTC, to the millisecond."""
    return iso_milliseconds(value.astimezone(UTC)) if isinstance(value, datetime) else str(value)
