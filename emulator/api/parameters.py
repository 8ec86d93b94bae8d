"""Query parameters and JSON bodies: read strictly, so that a misspelled name is not taken for no filter at all."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request

from chalicelib.convert import to_timestamp
from emulator.api.responses import Problem

__all__ = ["body_of", "check_names", "check_query", "integer", "moment", "number"]


def check_query(query: QueryParams, known: Iterable[str]) -> None:
    """Raise Problem if a name is not known or given twice, or a value is one that no event can have."""
    check_names(query, known)
    repeated = sorted(name for name in query if len(query.getlist(name)) > 1)
    if repeated:
        raise Problem(400, f"given more than once: {', '.join(repeated)}")
    if any("\0" in value for value in query.values()):
        raise Problem(400, "a parameter has the character U+0000, which no event has")


def check_names(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise Problem if one of the names given is not known."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Problem(400, f"unknown: {', '.join(unknown)}; known are: {', '.join(known)}")


def integer(query: QueryParams, name: str, default: int, low: int, high: int) -> int:
    """A whole number between `low` and `high`. Raises Problem."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high):
        raise Problem(400, f"{name} is a whole number from {low} to {high}, not {text!r}")
    return int(text)


def number(query: QueryParams, name: str, default: float, low: float, high: float) -> float:
    """A number between `low` and `high`. Raises Problem."""
    text = query.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise Problem(400, f"{name} is a number from {low:g} to {high:g}, not {text!r}")
    return value


def moment(query: QueryParams, name: str) -> datetime | None:
    """An ISO-8601 time, UTC where it has no offset; None if it is not given. Raises Problem."""
    text = query.get(name)
    # A `+` that was not encoded arrives as a space.
    value = None if text is None else to_timestamp(text.strip().replace(" ", "+" if "T" in text else " "))
    if text is not None and value is None:
        raise Problem(400, f"{name} is a time such as 2026-11-25T09:30:00Z, not {text!r}")
    return value


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises Problem."""
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "the body is not a JSON object")
    return body
