"""Converts one JSON value to one column type. A value that does not fit becomes None; it never raises an error."""

import re
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from chalicelib.json_object import Json, Number

__all__ = ["to_bigint", "to_boolean", "to_number", "to_text", "to_timestamp", "to_uuid"]

BIGINT_MAX = 2**63 - 1
BIGINT_DIGITS = 19
# No object has so many characters that a longer exponent matters: such a number is out of range, or rounds to zero.
EXPONENT_DIGITS = 18
WHITESPACE = " \t\n\r\f\v"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")
# `fromisoformat` alone would read a decimal hour or minute as seconds, and accept minutes of an offset beyond 59.
_TIME = r"(?:[01][0-9]|2[0-3])(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]+)?)?)?"
_OFFSET = r"Z|[+-][0-9]{2}(?::?[0-5][0-9](?::?[0-5][0-9])?)?"
_ISO_8601 = re.compile(rf"[0-9W-]+(?:[T ]{_TIME}(?:{_OFFSET})?)?")


def to_text(value: Json) -> str | None:
    """Give strings as they are, and numbers in their own spelling; U+FFFD replaces what PostgreSQL cannot store."""
    return _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else None


def to_uuid(value: Json) -> UUID | None:
    """Read the 36-character hyphenated form; any other text becomes its UUIDv5 in `uuid.NAMESPACE_URL`."""
    text = to_text(value)
    if text is None:
        return None
    return UUID(text) if _UUID.fullmatch(text) else uuid5(NAMESPACE_URL, text)


def to_boolean(value: Json) -> bool | None:
    """Read true and false, or the text `true` or `false`."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def to_number(value: Json) -> str | None:
    """Give a JSON number, or text that spells one after trimming, in its own spelling."""
    match = _match(value)
    return None if match is None else match.group()


def to_bigint(value: Json, decimals: int = 0) -> int | None:
    """Round a number, as `to_number` reads it, half away from zero; None beyond 64 bits.

    Args:
        value: Any JSON value.
        decimals: How many decimals to keep: the result is the number times 10 to this power.
    """
    match = _match(value)
    if match is None:
        return None
    sign, whole, fraction, exponent_sign, exponent = (part or "" for part in match.groups())
    magnitude = _round(whole, fraction, exponent_sign, exponent.lstrip("0"), decimals)
    number = -magnitude if sign and magnitude is not None else magnitude
    return number if number is not None and -BIGINT_MAX - 1 <= number <= BIGINT_MAX else None


def _match(value: Json) -> re.Match[str] | None:
    return _NUMBER.fullmatch(value.strip(WHITESPACE)) if isinstance(value, str) else None


def _round(whole: str, fraction: str, exponent_sign: str, exponent: str, decimals: int) -> int | None:
    """Round digits to a magnitude by moving the decimal point; None if the result is too long for 64 bits."""
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0
    if len(exponent) > EXPONENT_DIGITS:
        return 0 if exponent_sign == "-" else None
    leading_zeros = len(whole) + len(fraction) - len(digits)
    point = len(whole) - leading_zeros + int(exponent_sign + (exponent or "0")) + decimals
    if point > BIGINT_DIGITS:
        return None
    if point < 0:
        return 0
    return int(digits[:point].ljust(point, "0") or "0") + (digits[point : point + 1] >= "5")


def to_timestamp(value: Json) -> datetime | None:
    """Read ISO-8601 text as an aware time in UTC; without an offset it is UTC. Only seconds may have decimals."""
    if not isinstance(value, str) or isinstance(value, Number):
        return None
    text = value.upper()
    if not _ISO_8601.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
