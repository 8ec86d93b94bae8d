"""When to try again, and how long to wait until then."""

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["ATTEMPTS", "RETRIED", "delay", "seconds_of"]

ATTEMPTS = 6
FIRST_DELAY = 0.2  # seconds before the second attempt; doubles from there
MAX_DELAY = 20.0  # seconds, also when the server asks for more
RETRIED = frozenset({408, 429, 500, 502, 503, 504})


def delay(attempt: int, asked: float | None = None) -> float:
    """Seconds to wait after the given attempt (from 1): what the server asks for, else doubling, with jitter."""
    seconds = FIRST_DELAY * 2 ** (attempt - 1) if asked is None else asked
    return min(seconds, MAX_DELAY) * random.uniform(1.0, 1.5)  # noqa: S311  # spreads retries, guards nothing


def seconds_of(retry_after: str) -> float | None:
    """Seconds from now that a Retry-After header asks for, as a number or a date; None if it says nothing."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    # A date in "-0000" comes without a zone; HTTP dates are in UTC.
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
