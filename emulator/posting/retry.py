"""The rules for retries: after which statuses to try again, how often, and after how long."""

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
    """Return the seconds to wait before the next attempt, with jitter.

    Args:
        attempt: Number of the attempt that failed, from 1. The delay doubles with each attempt.
        asked: Seconds that the server asked for; they replace the doubling delay.
    """
    seconds = FIRST_DELAY * 2 ** (attempt - 1) if asked is None else asked
    return min(seconds, MAX_DELAY) * random.uniform(1.0, 1.5)  # noqa: S311  # jitter needs no secure randomness


def seconds_of(retry_after: str) -> float | None:
    """Return the seconds from now that a Retry-After header, a number or a date, asks for; None for any other text."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    # A date with the offset "-0000" is parsed without a time zone; HTTP dates are in UTC.
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
