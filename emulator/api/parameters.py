"""Reads query parameters and JSON bodies strictly, so that a misspelled filter is an error and not ignored."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request

from chalicelib.convert import to_timestamp
from emulator.api.responses import Problem

__all__ = ["body_of", "check_names", "check_query", "integer", "moment", "number"]

MOST_BYTES = 1024 * 1024


def check_query(query: QueryParams, known: Iterable[str]) -> None:
    """Raise Problem if a name is unknown or given twice, or a value holds the character U+0000."""
    check_names(query, known)
    repeated = sorted(name for name in query if len(query.getlist(name)) > 1)
    if repeated:
        raise Problem(400, f"given more than once: {', '.join(repeated)}")
    if any("\0" in value for value in query.values()):
        raise Problem(400, "a parameter holds the character U+0000, which no event can hold: leave it out")


def check_names(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise Problem if one of the given names is unknown."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Problem(400, f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")


def integer(query: QueryParams, name: str, default: int, low: int, high: int) -> int:
    """Return a parameter as a whole number from `low` to `high`. Raises Problem."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high):
        raise Problem(400, f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def number(query: QueryParams, name: str, default: float, low: float, high: float) -> float:
    """Return a parameter as a number from `low` to `high`. Raises Problem."""
    text = query.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise Problem(400, f"{name} must be a number from {low:g} to {high:g}, not {text!r}")
    return value


def moment(query: QueryParams, name: str) -> datetime | None:
    """Return a parameter as a time: ISO-8601, UTC without an offset; None if it is not given. Raises Problem."""
    text = query.get(name)
    # A `+` that was not encoded arrives as a space.
    value = None if text is None else to_timestamp(text.strip().replace(" ", "+" if "T" in text else " "))
    if text is not None and value is None:
        raise Problem(400, f"{name} must be a time such as 2026-11-25T09:30:00Z, not {text!r}")
    return value


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request. Raises Problem."""
    try:
        body = json.loads(await _bytes_of(request))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "the body must be a JSON object")
    return body


async def _bytes_of(request: Request) -> bytes:
    """Read the body of a request. Raises Problem if it is too large, before it is read if its length is named."""
    problem = Problem(413, f"the body is too large: at most {MOST_BYTES:,} bytes are accepted")
    if int(request.headers.get("Content-Length", 0)) > MOST_BYTES:  # the server has checked that it is a number
        raise problem
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise problem
    return body
