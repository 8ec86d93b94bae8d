"""Reads the browser's time of an event, also where it is spelled as seconds or milliseconds since 1970."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from chalicelib.contract import Column, Value
from chalicelib.convert import to_timestamp
from chalicelib.json_object import Json

__all__ = ["BROWSER_TIME", "MILLISECONDS_FROM", "SENT_AT", "to_browser_time"]

# A type of this module only: the contract's TIMESTAMPTZ is ISO-8601.
BROWSER_TIME = "BROWSER_TIME"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# A number from here on is milliseconds (since 1973), and a smaller one is seconds (until the year 5138).
MILLISECONDS_FROM = 10**11
# Not fewer digits: 20261124 is a date. R's JSON writers send 1.764e12.
_NUMBER = re.compile(r"\s*([0-9]{1,14}(?:\.[0-9]{1,30})?(?:[eE]\+?[0-9]{1,2})?)\s*", re.ASCII)
FEWEST, MOST = 10**8, 10**14


def to_browser_time(value: Json) -> datetime | None:
    """Read a time as browsers send it.

    Args:
        value: ISO-8601 text as the contract reads it, or seconds or milliseconds since 1970, as a number or as text.

    Returns:
        The time, aware, in UTC, without parts of a microsecond; None if the value is not such a time.
    """
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    number = Decimal(found[1]) if found else None
    if number is None or not FEWEST <= number < MOST:
        return to_timestamp(value)
    return EPOCH + int(number * (1_000 if number >= MILLISECONDS_FROM else 1_000_000)) * MICROSECOND


class _BrowserTime(Column):
    @cached_property
    def convert(self) -> Callable[[Json], Value]:
        return to_browser_time


SENT_AT = _BrowserTime("browser_time", BROWSER_TIME, ("eventTimestamp", "event_timestamp"))
